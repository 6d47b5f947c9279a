import type { RelayResult } from "../copy/relay.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/** The schema in the staging database that holds the journal. It has the run's name, so that none of the source's can be in its way. */
export function journalSchema(runId: string): string {
  return `pgditto_${runId}`;
}

const tableIn = (schema: string): string => `${quoteIdent(schema)}.journal`;

/** What was committed: a row is written in the transaction of the copy that it tells of. */
export async function createJournal(session: Session, schema: string): Promise<void> {
  await session.run(
    `CREATE SCHEMA ${quoteIdent(schema)}; CREATE TABLE ${tableIn(schema)} (copy text PRIMARY KEY, rows bigint NOT NULL, bytes bigint NOT NULL)`,
  );
}

/**
 * The statement that notes copies, for the end of their transaction. Where an earlier attempt's COMMIT is still on its way, the primary
 * key makes this one wait for it, and then fail.
 */
export function journalSql(schema: string, copies: ReadonlyMap<string, RelayResult>): string {
  const rows = [...copies].map(([id, { rows: n, bytes }]) => `(${quoteLiteral(id)}, ${n}, ${bytes})`);
  return `INSERT INTO ${tableIn(schema)} VALUES ${rows.join(", ")}`;
}

/** What the journal has of these copies. */
export async function readJournal(
  session: Session,
  schema: string,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, RelayResult>> {
  const rows = await session.query<{ copy: string; rows: string; bytes: string }>(
    `SELECT copy, rows, bytes FROM ${tableIn(schema)} WHERE copy = ANY ($1)`,
    [ids],
    signal,
  );
  return new Map(rows.map((row) => [row.copy, { rows: Number(row.rows), bytes: Number(row.bytes) }]));
}
