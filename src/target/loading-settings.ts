import type { TargetAbilities } from "./abilities.ts";

const KB = 1024;
const MB = 1024 * KB;
/** More does not make a sort faster by much, and `maintenance_work_mem` counts for each index that is built at the time. */
const MOST_MAINTENANCE = 1024 * MB;
const MOST_WORK = 64 * MB;

/**
 * SET statements for the sessions that fill the staging database. Nothing that outlives the session, and nothing that makes it less safe.
 * How much memory the machine has cannot be asked; `shared_buffers` was chosen by somebody who knew it, so all sessions together take
 * half as much at the most, and never less than the server gives by itself (manual 20.4.1).
 */
export function loadingSettings({ lz4, memory }: Pick<TargetAbilities, "lz4" | "memory">, sessions: number): string {
  const share = memory.sharedBuffers / 2 / sessions;
  const kilobytes = (bytes: number): string => `'${Math.floor(bytes / KB)}kB'`;
  return [
    `SET maintenance_work_mem = ${kilobytes(Math.max(memory.maintenanceWorkMem, Math.min(MOST_MAINTENANCE, share)))}`,
    // for materialized views, and for sorting what ANALYZE has sampled
    `SET work_mem = ${kilobytes(Math.max(memory.workMem, Math.min(MOST_WORK, share / 4)))}`,
    // indexes that are built at the same time read their table together
    "SET synchronize_seqscans = on",
    // large values take less time than with pglz; what a column says of itself goes before
    ...(lz4 ? ["SET default_toast_compression = lz4"] : []),
  ].join("; ");
}
