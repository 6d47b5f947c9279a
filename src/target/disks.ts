import { readFile, stat, statfs } from "node:fs/promises";
import { isAbsolute, join } from "node:path";

import type { Session } from "../postgres/session.ts";

/** A file system of this machine that the target's server writes to. */
export interface Disk {
  /** One path on it. */
  path: string;
  /** Tablespaces on it that the run writes to. */
  tablespaces: readonly string[];
  /** Whether it holds `pg_wal`: when this one is full, the whole server stops. */
  wal: boolean;
}

/** `/var/lib/postgresql (pg_wal, tablespace pg_default)`. */
export function describeDisk({ path, tablespaces, wal }: Disk): string {
  return `${path} (${[...(wal ? ["pg_wal"] : []), ...tablespaces.map((name) => `tablespace ${name}`)].join(", ")})`;
}

export interface DiskSpace {
  /** Bytes that a process other than root's may still write. */
  free: number;
  total: number;
}

export async function readDiskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { free: bavail * bsize, total: blocks * bsize };
}

/**
 * The disks of a server on this machine. Undefined where its folders are not this machine's after all (a tunnel, a container), or cannot
 * be seen: the role needs `pg_read_all_settings`, or to be a superuser, and this process the right to enter the folder's parents.
 * @param tablespaces Names of those that are written to.
 */
export async function findDisks(control: Session, tablespaces: readonly string[]): Promise<Disk[] | undefined> {
  const [row] = await control.query<{ setting: string }>("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'");
  if (!row || !(await isItsFolder(control, row.setting))) return undefined;
  const folder = row.setting;
  const places = await control.query<{ name: string; location: string }>(
    "SELECT spcname::text AS name, pg_catalog.pg_tablespace_location(oid) AS location FROM pg_catalog.pg_tablespace WHERE spcname = ANY ($1)",
    [tablespaces],
  );
  const found = new Map<number, { path: string; tablespaces: string[]; wal: boolean }>();
  const add = async (path: string): Promise<{ tablespaces: string[]; wal: boolean } | undefined> => {
    // a path below the data directory may be closed to us: what cannot be seen is not watched
    const known = await stat(path).catch(() => undefined);
    if (!known) return undefined;
    const disk = found.get(known.dev) ?? { path, tablespaces: [], wal: false };
    found.set(known.dev, disk);
    return disk;
  };
  const wal = await add(join(folder, "pg_wal"));
  if (wal) wal.wal = true;
  for (const { name, location } of places) {
    // of its own tablespaces the server says nothing, and of one in place a path below its folder
    const disk = await add(location === "" ? folder : isAbsolute(location) ? location : join(folder, location));
    disk?.tablespaces.push(name);
  }
  return [...found.values()];
}

/** Whether the folder of that name on this machine is the one that the server speaks of. */
async function isItsFolder(control: Session, folder: string): Promise<boolean> {
  return (await sameMoment(control, folder)) || (await sameStart(control, folder));
}

/** The server sees the folder changed at the same second as we do. The second look is for a change between the two. */
async function sameMoment(control: Session, folder: string): Promise<boolean> {
  const [may] = await control.query<{ may: boolean }>(
    "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(pg_catalog.text)', 'EXECUTE') AS may",
  );
  if (may?.may !== true) return false;
  for (let look = 1; look <= 2; look += 1) {
    const here = await stat(folder).catch(() => undefined);
    const [there] = await control.query<{ modified: number; changed: number | null }>(
      "SELECT EXTRACT(EPOCH FROM modification)::float8 AS modified, EXTRACT(EPOCH FROM change)::float8 AS changed FROM pg_catalog.pg_stat_file('.')",
    );
    if (!here || !there) return false;
    const changed = there.changed === null || there.changed === Math.floor(here.ctimeMs / 1000);
    if (changed && there.modified === Math.floor(here.mtimeMs / 1000)) return true;
  }
  return false;
}

/** `postmaster.pid` (line 3: start, line 4: port) is that of the server that answers. */
async function sameStart(control: Session, folder: string): Promise<boolean> {
  const lines = (await readFile(join(folder, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  const [there] = await control.query<{ started: number; port: string }>(
    "SELECT EXTRACT(EPOCH FROM pg_catalog.pg_postmaster_start_time())::float8 AS started, pg_catalog.current_setting('port') AS port",
  );
  return there !== undefined && lines[3] === there.port && Math.abs(Number(lines[2]) - there.started) <= 2;
}
