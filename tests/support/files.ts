import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Folder extends AsyncDisposable {
  path: string;
  /** Absolute. */
  at: (name: string) => string;
}

/** A folder with these files, by their names within it; it goes with its disposal. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "files-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return {
    path,
    at: (name) => join(path, name),
    [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }),
  };
}
