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

/** Paths of all files below a folder, with their sizes; what is neither file nor folder counts as a file of no size. */
export async function listFiles(folder: string): Promise<Array<Omit<DumpFile, "sha256">>> {
  const found: Array<Omit<DumpFile, "sha256">> = [];
  const visit = async (below: string): Promise<void> => {
    for (const name of (await readdir(join(folder, below))).toSorted()) {
      if (below === "" && NOT_DUMPED.has(name)) continue;
      const path = below === "" ? name : `${below}/${name}`;
      const facts = await lstat(join(folder, path));
      if (facts.isDirectory()) await visit(path);
      else found.push({ path, bytes: facts.isFile() ? facts.size : 0 });
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

/** All files of a folder with their digests: they are read once more, so what cannot be read is found now. */
export async function digestFiles(folder: string, signal: AbortSignal): Promise<DumpFile[]> {
  const files: DumpFile[] = [];
  for (const file of await listFiles(folder)) files.push({ ...file, sha256: await digestOf(join(folder, file.path), signal) });
  return files;
}
