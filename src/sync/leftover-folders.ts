import { lstat, readdir, realpath, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { GATEWAY_PREFIX } from "../schema/pg-dump/gateway-folder.ts";
import { sizeOf, unusable } from "../tasks/dump-access.ts";
import { MANIFEST, type Marker, readMarker, removeDump } from "./dump/dump-folder.ts";
import { FOLDER_PREFIX } from "./dump/name-folder.ts";
import type { Run } from "./run.ts";
import type { Leftover } from "../target/leftovers.ts";

/** A folder exists for the moment until pg_dump has connected; an hour later nobody needs it. */
const DEAD_AFTER_MS = 60 * 60 * 1000;

/** This user's gateway folders in the temporary folder whose run was killed before pg_dump came. */
export async function findFolders(): Promise<Leftover[]> {
  const root = os.tmpdir();
  const names = await readdir(root).catch(() => []);
  const found: Leftover[] = [];
  for (const name of names.filter((candidate) => candidate.startsWith(GATEWAY_PREFIX))) {
    const object = path.join(root, name);
    const facts = await lstat(object).catch(() => undefined);
    if (facts?.isDirectory() !== true || facts.uid !== os.userInfo().uid) continue;
    const alive = Date.now() - facts.mtimeMs < DEAD_AFTER_MS;
    found.push({ kind: "folder", object, run: "", target: "", bytes: 0, alive, started: facts.mtime.toISOString() });
  }
  return found;
}

/** Dump folders in the current folder, and the one that is named, whose run is dead and which were not to stay; those of living runs, too. */
export async function findDumps({ config, machine }: Run): Promise<Leftover[]> {
  const { cwd } = machine;
  const names = cwd === undefined ? [] : (await readdir(cwd).catch(() => [])).filter((name) => name.startsWith(FOLDER_PREFIX));
  const folders = [...names.map((name) => path.join(cwd ?? "", name)), ...(config.dumpDir === undefined ? [] : [config.dumpDir])];
  const found: Leftover[] = [];
  const seen = new Set<string>();
  for (const object of folders) {
    // one folder may have two names
    const real = await realpath(object).catch(() => object);
    if (seen.has(real)) continue;
    seen.add(real);
    const marker = await readMarker(object);
    if (!marker || (marker.keep && (await isComplete(object)))) continue;
    const alive = isAlive(marker, machine);
    found.push({ kind: "dump-folder", object, run: marker.run, target: "", bytes: await sizeOf(object), alive, started: marker.started });
  }
  return found;
}

async function isComplete(folder: string): Promise<boolean> {
  return (await lstat(path.join(folder, MANIFEST)).catch(() => undefined)) !== undefined;
}

/** Whether a process of another machine lives cannot be seen from here. */
function isAlive({ host, pid }: Marker, machine: Run["machine"]): boolean {
  return host !== machine.hostname || machine.isAlive(pid);
}

/** Of a dump folder only what the run that was found there wrote. @throws PgdittoError `dump-folder` when it is no longer that run's. */
export async function removeFolder({ machine }: Pick<Run, "machine">, { kind, object, run }: Leftover): Promise<void> {
  if (kind === "folder") return await rm(object, { recursive: true, force: true });
  const marker = await readMarker(object);
  if (marker?.run !== run || isAlive(marker, machine)) throw unusable(object, `it is no longer that of the dead run ${run}.`);
  await removeDump(object, marker);
}
