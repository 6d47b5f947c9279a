import { PgdittoError } from "../errors.ts";
import { quoteLiteral } from "./quote.ts";
import type { Session } from "./session.ts";
import { withFacts } from "./server-error.ts";

/** The transaction that a snapshot is read in, on the holder and on every worker. */
const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** How servers say that a snapshot is gone: invalid_parameter_value, and undefined_object in newer ones. */
const GONE = new Set(["22023", "42704"]);

/** The statements that begin a transaction which sees exactly what the exporting one sees (manual 9.28.5). */
export function joinSql(snapshot: string): string {
  return `${BEGIN}; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`;
}

/** Begins a transaction that sees exactly what the exporting one sees (manual 9.28.5). */
export async function importSnapshot(session: Session, snapshot: string): Promise<void> {
  try {
    await session.run(joinSql(snapshot));
  } catch (error) {
    if (!(error instanceof PgdittoError) || !GONE.has(error.sqlstate ?? "")) throw error;
    const hint = "The session that held the source's snapshot is gone, so nobody new can join it. Run again.";
    throw withFacts(error, { object: snapshot, hint }, "snapshot-lost");
  }
}

/**
 * Takes ACCESS SHARE on the given tables and then the snapshot, in this order and in one transaction: the snapshot is frozen by
 * the first query, and LOCK TABLE is none (manual 13.3), so no DDL or TRUNCATE can slip between the two.
 * @throws PgdittoError `server` with SQLSTATE 55P03 when somebody holds a table for longer than `lockTimeoutMs`.
 */
export async function lockAndExport(
  session: Session,
  tables: readonly string[],
  lockTimeoutMs: number,
  signal?: AbortSignal,
): Promise<string> {
  await session.run(`${BEGIN}; SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  for (let at = 0; at < tables.length; at += 500) {
    await session.run(`LOCK TABLE ${tables.slice(at, at + 500).join(", ")} IN ACCESS SHARE MODE`, signal);
  }
  await session.run("SET LOCAL lock_timeout = 0");
  const [row] = await session.query<{ snapshot: string }>("SELECT pg_catalog.pg_export_snapshot() AS snapshot");
  if (!row) throw new PgdittoError("internal", "pg_export_snapshot() returned nothing.");
  return row.snapshot;
}

/** Where in the source's history a snapshot stands. */
export interface SnapshotPosition {
  /** `pg_snapshot_xmin`, 64-bit: every transaction below had ended. */
  boundary: string;
  /** `pg_snapshot_xmax`, 64-bit: none from here on had begun. */
  next: string;
  /** What it shows is in the WAL before this place. */
  lsn: string;
  /** `performance.now()` when it had been taken. */
  takenAt: number;
}

/** Of the snapshot that the session's transaction has taken; `txid_…`, because PostgreSQL 12 has no `pg_snapshot_…`. */
export async function readPosition(session: Session): Promise<SnapshotPosition> {
  const takenAt = performance.now();
  const [row] = await session.query<Omit<SnapshotPosition, "takenAt">>(`
SELECT pg_catalog.txid_snapshot_xmin(s)::text AS boundary, pg_catalog.txid_snapshot_xmax(s)::text AS next,
  (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END)::text AS lsn
FROM pg_catalog.txid_current_snapshot() AS s`);
  if (!row) throw new PgdittoError("internal", "txid_current_snapshot() returned nothing.");
  return { ...row, takenAt };
}

/**
 * Reads without keeping the locks that reading takes. A table's indexes are locked too, and a snapshot's transaction lasts as long as the
 * run: thousands of tables would use up max_locks_per_transaction. Rolling back to a savepoint gives the locks back, and keeps the snapshot.
 */
export async function readAndUnlock<Row extends object>(session: Session, sql: string, signal: AbortSignal): Promise<Row[]> {
  await session.run("SAVEPOINT reading", signal);
  const rows = await session.query<Row>(sql, [], signal);
  await session.run("ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading", signal);
  return rows;
}
