import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { PgdittoError } from "../../errors.ts";
import { errnoOf, factsOf } from "../read-file.ts";
import type { Variables } from "./expand-variables.ts";
import { parseScript, type Script } from "./parse-script.ts";

/** A file or folder, as it was given and where it is. */
export interface ScriptPath {
  given: string;
  absolute: string;
}

/**
 * Reads a file, or every `*.sql` directly in a folder, in the order of their names' bytes; hidden ones, which editors leave, are not looked at.
 * @throws PgdittoError `usage` that names file and line.
 */
export async function readScripts(path: ScriptPath, variables: Variables): Promise<Script[]> {
  const { given, absolute } = path;
  const entries = await readdir(absolute).catch((error: unknown) => {
    if (errnoOf(error) === "ENOTDIR") return undefined;
    if (errnoOf(error) === "ENOENT") throw refused(given, "does not exist", "Check the path; relative ones start in the current folder.");
    throw refused(given, `cannot be read (${errnoOf(error)})`, "Check its owner and permissions.");
  });
  if (!entries) return [await readScript(path, variables)];
  const names = entries.filter((name) => name.endsWith(".sql") && !name.startsWith("."));
  const files = names.map((name): ScriptPath => ({ given: join(given, name), absolute: join(absolute, name) }));
  const scripts: Script[] = [];
  for (const file of files.toSorted((a, b) => Buffer.compare(Buffer.from(a.given), Buffer.from(b.given))))
    scripts.push(await readScript(file, variables));
  if (scripts.length === 0)
    throw refused(
      given,
      "is a folder without any file *.sql",
      "Name a file, or a folder that holds some; folders within it are not looked into.",
    );
  return scripts;
}

async function readScript({ given, absolute }: ScriptPath, variables: Variables): Promise<Script> {
  const facts = await factsOf(absolute);
  if (facts?.plain !== true)
    throw refused(given, facts ? "is neither a file nor a folder" : "does not exist", "Name a file with SQL, or a folder of them.");
  const bytes = await readFile(absolute).catch((error: unknown) => {
    throw refused(given, `cannot be read (${errnoOf(error)})`, "Check its owner and permissions.");
  });
  return parseScript(given, textOf(given, bytes), variables);
}

/** What is sent is UTF-8, and ends at the first NUL. A byte order mark is dropped. */
function textOf(name: string, bytes: Buffer): string {
  const lineOf = (end: number, text: string): number => text.slice(0, end).split("\n").length;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const nul = text.indexOf("\0");
    if (nul === -1) return text;
    throw refused(`${name}:${lineOf(nul, text)}`, "holds a NUL character", "Is it really a text file?");
  } catch (error) {
    if (error instanceof PgdittoError) throw error;
    const text = bytes.toString("utf8");
    throw refused(
      `${name}:${lineOf(text.indexOf("\uFFFD"), text)}`,
      "is not UTF-8",
      "Convert it, for example with iconv -f LATIN1 -t UTF-8, or -f UTF-16.",
    );
  }
}

function refused(object: string, reason: string, hint: string): PgdittoError {
  return new PgdittoError("usage", `--sql: ${object} ${reason}.`, { object, hint });
}
