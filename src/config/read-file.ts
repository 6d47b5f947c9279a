import { readFile, stat } from "node:fs/promises";

import { PgdittoError } from "../errors.ts";

export interface FileFacts {
  /** A regular file, after following links. */
  plain: boolean;
  mode: number;
  uid: number;
}

/** What `stat` says, or undefined when there is no such file. */
export async function factsOf(path: string): Promise<FileFacts | undefined> {
  try {
    const facts = await stat(path);
    return { plain: facts.isFile(), mode: facts.mode, uid: facts.uid };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, "file", "config", error);
  }
}

/** The text of a file that must be readable; `what` names it in the error, as in `service file`. A byte order mark is dropped. */
export async function readText(path: string, what: string, code: "usage" | "config"): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    throw unreadable(path, what, code, error);
  }
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errnoOf(error));
}

function unreadable(path: string, what: string, code: "usage" | "config", error: unknown): PgdittoError {
  const errno = errnoOf(error);
  return new PgdittoError(code, `The ${what} ${path} ${isMissing(error) ? "does not exist" : `cannot be read (${errno})`}.`, {
    object: path,
    sqlstate: errno,
    hint: isMissing(error) ? "Check the path; relative ones start in the current folder." : "Check its owner and permissions.",
  });
}

/** `ENOENT`, `EACCES` … */
export function errnoOf(error: unknown): string {
  if (error instanceof PgdittoError) return error.sqlstate ?? error.code;
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
}
