import type { Session } from "../../postgres/session.ts";
import type { SnapshotPosition } from "../../postgres/snapshot.ts";
import { sleep } from "../../util/wait.ts";
import type { Run } from "../run.ts";

/** Milliseconds: where the source lets asynchronous commits wait longer than this, nothing that is copied is worth proving later. */
const PATIENCE_MS = 5000;

/**
 * The snapshot's boundary, as soon as all that it shows is on the source's disk; "0", under which nothing is ever proven, where that may take
 * too long. A transaction with `synchronous_commit = off` is visible before: were the server to crash then, its number would be given out a second
 * time. The WAL writer is through with it after three times wal_writer_delay at the most (manual 30.4); most runs are still reading then.
 */
export async function durableBoundary(run: Run, session: Session, position: SnapshotPosition): Promise<string> {
  const [row] = await session.query<{ safe: boolean; delay: number }>(
    `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN true ELSE pg_catalog.pg_current_wal_flush_lsn() >= $1::pg_catalog.pg_lsn END AS safe,
       (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay') AS delay`,
    [position.lsn],
    run.signal,
  );
  if (!row || row.safe) return position.boundary;
  const left = position.takenAt + 3 * row.delay - performance.now();
  if (left > PATIENCE_MS) return "0";
  if (left > 0) await sleep(left, run.signal);
  return position.boundary;
}
