import { join } from "node:path";

import { PgdittoError } from "../../errors.ts";
import { plural } from "../../util/format.ts";
import { throwIfAborted } from "../../util/wait.ts";
import { digestOf, type DumpFile, listFiles, topOf } from "./dump-files.ts";
import { isPlainName } from "./dump-folder.ts";

/** Problems that are listed; the rest is a number. */
const NAMED = 20;

/**
 * Reads every file of a dump folder, and looks whether all that an import opens is among them.
 * @param needed Names in the folder: a file's, or that of a folder which files are in.
 * @throws PgdittoError `dump-folder` naming each that is missing, more than there should be, or not as it was written.
 */
export async function checkFiles(
  folder: string,
  needed: readonly string[],
  files: readonly DumpFile[],
  signal: AbortSignal,
): Promise<void> {
  const there = new Map((await listFiles(folder)).map(({ path, bytes }) => [path, bytes]));
  const known = new Set(files.map(({ path }) => path));
  const problems = [...there.keys()].filter((path) => !known.has(path)).map((path) => `${path} is not of this dump`);
  const tops = new Set(files.map(({ path }) => topOf(path)));
  for (const name of needed) {
    if (!isPlainName(name)) problems.push(`${String(name)} is no name in the folder`);
    else if (!tops.has(name)) problems.push(`${name} is missing`);
  }
  for (const { path, bytes, sha256 } of files) {
    const size = there.get(path);
    if (!there.has(path)) problems.push(`${path} is missing`);
    else if (size === undefined) problems.push(`${path} is not a file`);
    else if (size !== bytes) problems.push(`${path} has ${plural(size, "byte")} instead of ${bytes}`);
    else if ((await digest(join(folder, path), signal)) !== sha256) problems.push(`${path} was altered`);
  }
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > NAMED ? [`… and ${problems.length - NAMED} more`] : [];
  throw new PgdittoError("dump-folder", `The dump in ${folder} is not as it was written: ${first}. The target was not touched.`, {
    object: folder,
    hint: "Copy the folder again from where it was made, or export again.",
    detail: problems.length === 1 ? undefined : [...problems.slice(0, NAMED), ...more].join("\n"),
  });
}

/** What cannot be read is not as it was. */
async function digest(file: string, signal: AbortSignal): Promise<string | undefined> {
  const found = await digestOf(file, signal).catch(() => undefined);
  throwIfAborted(signal);
  return found;
}
