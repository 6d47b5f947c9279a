import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { asPgdittoError, PgdittoError } from "../errors.ts";
import type { DumpTask } from "../plan/task.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import type { NativeProgram } from "../schema/pg-dump/find-pg-restore.ts";
import { formatBytes } from "../util/format.ts";

/** What tasks need to write a dump folder, or to read one. */
export interface DumpAccess {
  folder: string;
  /** pg_dump on the way out, pg_restore on the way in. */
  program: NativeProgram;
  /** Of each program. */
  jobs: number;
  format: "directory" | "custom";
  /** Opens a session for one connection of a program. */
  connect: () => Promise<Session>;
  /** On the way out: the run's, which every pg_dump joins. */
  snapshot: string;
  /** Of the source's database. */
  encoding: string;
  /** Bytes that all of the folder was expected to take. */
  expected: number;
}

/** Bytes of a file, or of all files below a folder; 0 where there is nothing. */
export async function sizeOf(path: string): Promise<number> {
  const known = await stat(path).catch(() => undefined);
  if (!known) return 0;
  if (!known.isDirectory()) return known.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The tables that a program was at, where it says no more than which database. */
export function aboutEntry(error: unknown, { object }: DumpTask, database: string): unknown {
  if (!(error instanceof PgdittoError) || error.code !== "dump" || error.object !== database) return error;
  return withFacts(error, { object });
}

const FULL = /No space left on device|Disk quota exceeded|File too large|\bENOSPC\b|\bEDQUOT\b/;

/** What writing to the folder failed with: a full one in whoever's words, what the system says, or an error that is none of the folder's. */
export async function folderError(error: unknown, { folder, expected }: Pick<DumpAccess, "folder" | "expected">): Promise<PgdittoError> {
  const known = asPgdittoError(error);
  // the server has disks of its own, and says so with a SQLSTATE
  if (known.sqlstate === undefined && FULL.test(`${known.message}\n${known.detail ?? ""}`))
    return await fullFolder(known, folder, expected);
  return error instanceof Error && "syscall" in error ? unusable(folder, error.message, error) : known;
}

async function fullFolder({ message, detail, cause }: PgdittoError, folder: string, expected: number): Promise<PgdittoError> {
  const written = await sizeOf(folder);
  const missing = expected > written ? `about ${formatBytes(expected - written)} more are needed` : "more is needed than was expected";
  return new PgdittoError("space", `There is no space left in ${folder}: ${formatBytes(written)} are written, ${missing}.`, {
    object: folder,
    hint: "What was written is removed. Make room there, or name a folder on a larger disk: DIR, or --dump-dir (DUMP_DIR).",
    detail: [message, detail].filter((line) => line !== undefined).join("\n"),
    cause,
  });
}

/** The folder cannot be written or read. */
export function unusable(folder: string, reason: string, cause?: unknown): PgdittoError {
  return new PgdittoError("dump-folder", `The dump folder ${folder} cannot be used: ${reason}`, {
    object: folder,
    hint: "Name another folder, or mend its permissions: DIR, or --dump-dir (DUMP_DIR).",
    cause,
  });
}
