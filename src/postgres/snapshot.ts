import { PgdittoError } from "../errors.ts";
import { quoteLiteral } from "./quote.ts";
import type { Session } from "./session.ts";
import { withFacts } from "./server-error.ts";

/** The transaction that a snapshot is read in, on the holder and on every worker. */
const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** Begins a transaction that sees exactly what the exporting one sees (manual 9.28.5). */
export async function importSnapshot(session: Session, snapshot: string): Promise<void> {
  try {
    await session.run(`${BEGIN}; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`);
  } catch (error) {
    if (error instanceof PgdittoError && error.sqlstate === "22023") {
      throw withFacts(error, {
        object: snapshot,
        hint: "The session that held the source's snapshot is gone, so nobody new can join it. Run again.",
      });
    }
    throw error;
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
