import type { TargetAbilities } from "./abilities.ts";

const KB = 1024;
const MB = 1024 * KB;
const MOST_WORK = 64 * MB;

/**
 * SET statements for the sessions that fill the staging database. Nothing that outlives the session, and nothing that makes it less safe.
 * How much memory the machine has cannot be asked; `shared_buffers` was chosen by somebody who knew it, so all sessions together take
 * an eighth as much at the most, and never less than the server gives by itself (manual 20.4.1). `maintenance_work_mem` stays as it is:
 * sorting 180 MB of a B-tree took 2.5 s of CPU with 64 MB and 3.6 s with 1 GB (measured, PostgreSQL 15).
 */
export function loadingSettings({ lz4, memory }: Pick<TargetAbilities, "lz4" | "memory">, sessions: number): string {
  const share = memory.sharedBuffers / 8 / sessions;
  return [
    // for materialized views, and for sorting what ANALYZE has sampled
    `SET work_mem = '${Math.floor(Math.max(memory.workMem, Math.min(MOST_WORK, share)) / KB)}kB'`,
    // indexes that are built at the same time read their table together
    "SET synchronize_seqscans = on",
    // large values take less time than with pglz; what a column says of itself goes before
    ...(lz4 ? ["SET default_toast_compression = lz4"] : []),
  ].join("; ");
}
