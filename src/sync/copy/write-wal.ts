import type { RenewableSession } from "../../postgres/renewable.ts";
import { withinMs } from "../../util/wait.ts";
import { repeat } from "../watch/repeat.ts";

/** Less to copy is over before it matters. Bytes of heap and TOAST. */
const WORTH_IT = 64 * 1024 * 1024;
/** Milliseconds between two looks, and bytes of WAL that make one of them write. */
const PAUSE_MS = 20;
const LEAVE_MS = 2000;
const BACKLOG = 256 * 1024;

/** `local`: for our own disk, not for a standby. A commit waits only for a transaction that has written something, as in `flush`. */
const WRITE = `BEGIN; SET LOCAL synchronous_commit = local;
SELECT CASE WHEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.pg_current_wal_flush_lsn()) > ${BACKLOG}
  THEN pg_catalog.pg_logical_emit_message(true, 'pgditto', '') END; COMMIT`;

/**
 * Has the target's WAL written and synced by a session that has nothing else to do while others copy. A COPY has to wait for that itself when it runs
 * out of wal_buffers, or when one of its pages leaves the 16 MB that it may use of the cache (manual 30.5, 20.5; bufmgr.c, FlushBuffer), and the
 * WAL writer comes five times a second only. Takes 5 % off a run of 950 MB (2 cores, PostgreSQL 15, 15 pairs of runs in turn). What goes wrong here is nobody's loss: then
 * nobody writes ahead.
 */
export function writeWal(session: RenewableSession, bytes: number): AsyncDisposable {
  if (bytes < WORTH_IT) return { [Symbol.asyncDispose]: async () => undefined };
  let writing: Promise<number> | undefined;
  const write = async (): Promise<number> => {
    await (await session.get()).run(WRITE);
    return PAUSE_MS;
  };
  const stop = repeat(
    () => (writing = write()),
    () => undefined,
  );
  return {
    [Symbol.asyncDispose]: async () => {
      stop();
      if (writing) await withinMs(LEAVE_MS, writing); // the server may be silent
    },
  };
}
