import { lstat, mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { errnoOf } from "../../config/read-file.ts";
import { PgdittoError } from "../../errors.ts";
import { folderError, unusable } from "../../tasks/dump-access.ts";
import { type Run, warn } from "../run.ts";

/** The file by which a folder is known as a run's; written first. */
const MARKER = "pgditto-dump.json";
const MARKER_TMP = `${MARKER}.tmp`;
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
  /** What the run writes into it, beside the marker, the manifest and the schema. */
  names: readonly string[];
}

/** A folder that this run writes; disposal removes what was written, unless it is to stay. */
export interface DumpFolder extends AsyncDisposable {
  path: string;
  /** It stays once it is complete. */
  kept: boolean;
  /** Notes what is going to be written: nothing else is the run's. */
  claim: (names: readonly string[]) => Promise<void>;
  /** Names in the folder that nobody has claimed. */
  foreign: () => Promise<string[]>;
  /** From here on it stays. */
  keep: () => void;
}

/**
 * Makes the folder, of mode 0700, or takes one that is empty.
 * @throws PgdittoError `dump-folder` when it is somebody's, or cannot be written; `space` when there is not even room for that. Then nothing stays.
 */
export async function makeDumpFolder(run: Run, path: string, about: { keep: boolean; expected: number }): Promise<DumpFolder> {
  const { hostname: host, pid } = run.machine;
  const { keep, expected } = about;
  let made: string | undefined;
  let marked = false;
  try {
    made = await makeFolders(path);
    if (made === undefined) await refuseUsed(path);
    let marker: Marker = { run: run.id, host, pid, started: new Date().toISOString(), keep, existed: made === undefined, names: [] };
    // another run may take the same one in this moment
    {
      await using file = await open(join(path, MARKER), "wx", 0o600);
      marked = true;
      await file.writeFile(`${JSON.stringify(marker)}\n`);
    }
    await warnOfOthers(run, path);
    let stays = false;
    const top = made;
    return {
      path,
      kept: keep,
      claim: async (names) => {
        marker = { ...marker, names };
        const temporary = join(path, MARKER_TMP);
        await writeFile(temporary, `${JSON.stringify(marker)}\n`, { mode: 0o600 });
        await rename(temporary, join(path, MARKER));
      },
      foreign: async () => (await readdir(path)).filter((name) => !writtenNames(marker).has(name)),
      keep: () => {
        stays = true;
      },
      [Symbol.asyncDispose]: async () => {
        if (!stays) await tellRemoval(run, path, marker, top);
      },
    };
  } catch (error) {
    const told = error instanceof PgdittoError ? error : await folderError(error, { folder: path, expected });
    if (marked) await rm(join(path, MARKER), { force: true }).catch(() => undefined);
    if (made !== undefined) await removeMade(path, made);
    throw told;
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
    await mkdir(path, { mode: 0o700 }).catch(async (failure: unknown) => {
      if (above !== undefined) await removeMade(dirname(path), above);
      throw failure;
    });
    return above ?? path;
  }
}

/** From the folder up to the topmost that was made for it, as far as nobody else uses them. */
async function removeMade(path: string, top: string): Promise<void> {
  for (let at = path; ; at = dirname(at)) {
    await rmdir(at).catch(() => undefined);
    if (at === top) return;
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
    // parents that were made for it go with it
    if (made !== undefined) await removeMade(path, made);
    run.emit({ type: "cleanup", object: path, removed: true, reason: "dump folder of this run" });
  } catch (error) {
    run.emit({ type: "cleanup", object: path, removed: false, reason: error instanceof Error ? error.message : String(error) });
  }
}

/** What the run of this marker writes into its folder. By name: a pattern would take somebody's `shop-2026.dump` for the run's. */
function writtenNames({ names }: Pick<Marker, "names">): Set<string> {
  return new Set([...names, SCHEMA, MANIFEST, `${MANIFEST}.tmp`, MARKER_TMP, MARKER]);
}

/** Removes what its run wrote, and the folder if it was made for it and nothing else is in it. */
export async function removeDump(path: string, marker: Pick<Marker, "existed" | "names">): Promise<void> {
  // the marker is the last of them: what is removed by halves is still known
  for (const name of writtenNames(marker)) await rm(join(path, name), { recursive: true, force: true });
  if (!marker.existed && (await readdir(path)).length === 0) await rmdir(path);
}

/** Undefined where no run has marked the folder. */
export async function readMarker(path: string): Promise<Marker | undefined> {
  try {
    const marker = JSON.parse(await readFile(join(path, MARKER), "utf8")) as Partial<Marker>;
    const { run, host, pid, started, keep, existed, names } = marker;
    if (typeof run !== "string" || typeof host !== "string" || typeof pid !== "number" || typeof started !== "string") return undefined;
    return {
      run,
      host,
      pid,
      started,
      keep: keep === true,
      existed: existed === true,
      names: Array.isArray(names) ? names.filter(isPlainName) : [],
    };
  } catch {
    return undefined; // not there, or not ours
  }
}

/** A name in the folder itself, which leads nowhere else. */
export function isPlainName(name: unknown): name is string {
  return typeof name === "string" && /^[\w.-]+$/.test(name) && !/^\.+$/.test(name);
}

/** Names in a folder that belong to no dump file: whose it is, and what it holds. */
export const NOT_DUMPED: ReadonlySet<string> = new Set([MARKER, MANIFEST]);
