import { lstat, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { GATEWAY_PREFIX } from "../schema/pg-dump/gateway-folder.ts";
import { sizeOf } from "../tasks/dump-access.ts";
import { MANIFEST, readMarker, removeDump } from "./dump/dump-folder.ts";
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
  for (const object of new Set(folders)) {
    const marker = await readMarker(object);
    if (!marker || (marker.keep && (await isComplete(object)))) continue;
    // whether a process of another machine lives cannot be seen from here
    const alive = marker.host !== machine.hostname || machine.isAlive(marker.pid);
    found.push({ kind: "folder", object, run: marker.run, target: "", bytes: await sizeOf(object), alive, started: marker.started });
  }
  return found;
}

async function isComplete(folder: string): Promise<boolean> {
  return (await lstat(path.join(folder, MANIFEST)).catch(() => undefined)) !== undefined;
}

/** Of a dump folder only what runs write. */
export async function removeFolder(folder: string): Promise<void> {
  const marker = await readMarker(folder);
  if (marker) await removeDump(folder, marker);
  else await rm(folder, { recursive: true, force: true });
}
