import type { PgDumpProgram } from "./pg-dump-program.ts";

/** One run of pg_dump over one session, as both kinds take it. */
export interface DumpRun {
  program: PgDumpProgram;
  args: readonly string[];
  signal: AbortSignal | undefined;
  /** Milliseconds that pg_dump may do nothing at all while it is its turn. */
  patienceMs: number;
}

/** Milliseconds that pg_dump may take to notice that its connection is gone. */
export const LOST_GRACE_MS = 5000;
