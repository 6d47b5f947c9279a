import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { throwIfAborted } from "../../util/wait.ts";
import { NOT_DUMPED } from "./dump-folder.ts";

/** A file of a dump folder. */
export interface DumpFile {
  /** Below the folder, with `/`. */
  path: string;
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
}

/** Something below a folder that is no folder itself. */
interface Found {
  path: string;
  /** Undefined: no regular file (a link, a pipe), which is not to be opened. */
  bytes: number | undefined;
}

/** Paths of all files below a folder, with their sizes. */
export async function listFiles(folder: string): Promise<Found[]> {
  const found: Found[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const name of (await readdir(join(folder, below))).toSorted()) {
      if (below === "" && NOT_DUMPED.has(name)) continue;
      const path = below === "" ? name : `${below}/${name}`;
      const facts = await lstat(join(folder, path));
      if (facts.isDirectory()) await visit(path);
      else found.push({ path, bytes: facts.isFile() ? facts.size : undefined });
    }
  };
  await visit("");
  return found;
}

export async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    throwIfAborted(signal);
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** The run's files, not the `foreign` ones, with their digests: they are read once more, so what cannot be read is found now. */
export async function digestFiles(folder: string, foreign: ReadonlySet<string>, signal: AbortSignal): Promise<DumpFile[]> {
  const files: DumpFile[] = [];
  for (const { path, bytes } of await listFiles(folder)) {
    if (bytes === undefined || foreign.has(topOf(path))) continue;
    files.push({ path, bytes, sha256: await digestOf(join(folder, path), signal) });
  }
  return files;
}

/** The name in the dump folder itself that a path begins with. */
export function topOf(path: string): string {
  return path.split("/", 1)[0] ?? path;
}
