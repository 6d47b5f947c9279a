import { lstat, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { GATEWAY_PREFIX } from "../schema/pg-dump/gateway-folder.ts";
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

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
