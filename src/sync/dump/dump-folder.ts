import { lstat, mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { errnoOf } from "../../config/read-file.ts";
import { PgdittoError } from "../../errors.ts";
import { unusable } from "../../tasks/dump-access.ts";
import { type Run, warn } from "../run.ts";

/** The file by which a folder is known as a run's; written first. */
const MARKER = "pgditto-dump.json";
export const MANIFEST = "manifest.json";
export const SCHEMA = "schema_dump.sql";

/** Whose a folder is. */
export interface Marker {
  run: string;
  host: string;
  pid: number;
  /** ISO 8601. */
  started: string;
  /** It stays once it is complete. */
  keep: boolean;
  /** It was there, and empty, before. */
  existed: boolean;
}

/** A folder that this run writes; disposal removes what was written, unless it is to stay. */
export interface DumpFolder extends AsyncDisposable {
  path: string;
  /** From here on it stays. */
  keep: () => void;
}

/**
 * Makes the folder, of mode 0700, or takes one that is empty.
 * @throws PgdittoError `dump-folder` when it is somebody's, or cannot be written.
 */
export async function makeDumpFolder(run: Run, path: string, keep: boolean): Promise<DumpFolder> {
  const { hostname: host, pid } = run.machine;
  try {
    const made = await makeFolders(path);
    if (made === undefined) await refuseUsed(path);
    const marker: Marker = { run: run.id, host, pid, started: new Date().toISOString(), keep, existed: made === undefined };
    // another run may take the same one in this moment
    await writeFile(join(path, MARKER), `${JSON.stringify(marker)}\n`, { flag: "wx", mode: 0o600 });
    await warnOfOthers(run, path);
    let stays = false;
    return {
      path,
      keep: () => {
        stays = true;
      },
      [Symbol.asyncDispose]: async () => {
        if (!stays) await tellRemoval(run, path, marker, made);
      },
    };
  } catch (error) {
    throw error instanceof PgdittoError ? error : unusable(path, error instanceof Error ? error.message : String(error), error);
  }
}

/** The topmost one that was made; undefined: it was there. Not by `recursive`, which never ends where nothing can be made (nodejs/node, /proc). */
async function makeFolders(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EEXIST") return undefined;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    const above = await makeFolders(dirname(path));
    await mkdir(path, { mode: 0o700 });
    return above ?? path;
  }
}

/** @throws PgdittoError `dump-folder` when there is something in it. */
export async function refuseUsed(path: string): Promise<void> {
  const names = await readdir(path).catch((error: unknown) => {
    throw unusable(path, error instanceof Error ? error.message : String(error), error);
  });
  if (names.length === 0) return;
  const marker = await readMarker(path);
  const whose = marker
    ? `it holds the dump of run ${marker.run}`
    : `it is not empty (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`;
  throw new PgdittoError("dump-folder", `The dump folder ${path} cannot be used: ${whose}.`, {
    object: path,
    hint: "Name a new or an empty folder. What dead runs left there, `pgditto cleanup` lists and removes.",
  });
}

async function warnOfOthers(run: Run, path: string): Promise<void> {
  const { mode } = await lstat(path);
  if ((mode & 0o077) === 0 || run.machine.platform === "win32") return;
  warn(run, "dump-folder-open", `Other users of this machine may look into the dump folder ${path}.`, `chmod 700 '${path}'`);
}

async function tellRemoval(run: Run, path: string, marker: Marker, made: string | undefined): Promise<void> {
  try {
    await removeDump(path, marker);
    // parents that were made for it go with it, as far as nobody else uses them
    for (let at = path; made !== undefined && at !== made;) {
      at = dirname(at);
      await rmdir(at).catch(() => undefined);
    }
    run.emit({ type: "cleanup", object: path, removed: true, reason: "dump folder of this run" });
  } catch (error) {
    run.emit({ type: "cleanup", object: path, removed: false, reason: error instanceof Error ? error.message : String(error) });
  }
}

/** What a run may have written into a folder. */
const OURS = /^(?:pgditto-dump\.json|manifest\.json(?:\.tmp)?|schema_dump\.sql|large-objects-\d+\.bin|.+-\d+\.(?:dir|dump))$/;

/** Removes what runs write, and the folder if it was made for it and nothing else is in it. */
export async function removeDump(path: string, { existed }: Pick<Marker, "existed">): Promise<void> {
  const names = (await readdir(path)).filter((name) => OURS.test(name));
  // the marker last: what is removed by halves is still known
  for (const name of [...names.filter((each) => each !== MARKER), MARKER]) await rm(join(path, name), { recursive: true, force: true });
  if (!existed && (await readdir(path)).length === 0) await rmdir(path);
}

/** Undefined where no run has marked the folder. */
export async function readMarker(path: string): Promise<Marker | undefined> {
  try {
    const marker = JSON.parse(await readFile(join(path, MARKER), "utf8")) as Partial<Marker>;
    const { run, host, pid, started, keep, existed } = marker;
    if (typeof run !== "string" || typeof host !== "string" || typeof pid !== "number" || typeof started !== "string") return undefined;
    return { run, host, pid, started, keep: keep === true, existed: existed === true };
  } catch {
    return undefined; // not there, or not ours
  }
}

/** Names in a folder that belong to no dump file: whose it is, and what it holds. */
export const NOT_DUMPED: ReadonlySet<string> = new Set([MARKER, MANIFEST]);
