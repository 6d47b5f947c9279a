import type { RelayResult } from "../copy/relay.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/**
 * What is done, kept in the staging database itself: whatever it says is written in the transaction that did it, so it is neither more
 * nor less than what is there. It decides what another attempt has to do, and what another run that takes the database over.
 */
export interface Journal {
  schema: string;
  /**
   * `pg_snapshot_xmin` of the source's snapshot: every transaction below had ended when it was taken (manual 9.28.8). Rows that are visible
   * later, and were written by one of those, were visible then. "0": nothing can be proven later. Settled when it is safe to note.
   */
  boundary: Promise<string>;
  /** What it held when this run took it over; nothing in a new run. */
  held: Held;
}

interface Held {
  /** By id of the copy. */
  copies: ReadonlyMap<string, JournaledCopy>;
  /** Keys of schema entries. */
  applied: ReadonlySet<string>;
}

export const NOTHING_HELD: Held = { copies: new Map(), applied: new Set() };

/** A finished copy, with all that is needed to prove later that its rows have not changed since. */
export interface JournaledCopy extends RelayResult {
  id: string;
  /** OID on the source. */
  table: number;
  /** `fileOf` the table at that time. */
  file: string;
  boundary: string;
  /** The transaction on the target that brought the rows, 64-bit. */
  xid: string;
}

/** What was committed by a transaction that also did something else. */
export type NotedCopy = Pick<JournaledCopy, "id" | "table" | "file" | "rows" | "bytes">;

/** The schema in the staging database that holds the journal. It has the run's name, so that none of the source's can be in its way. */
export function journalSchema(runId: string): string {
  return `pgditto_${runId}`;
}

const journalTable = (schema: string, table: "run" | "copies" | "applied"): string => `${quoteIdent(schema)}.${table}`;

/**
 * Each table has a primary key: under the source's publications `FOR ALL TABLES` no other could be updated.
 * @param facts What a run that goes on must find the same, as JSON.
 * @param applied Keys of entries that are there already.
 */
export async function createJournal(session: Session, schema: string, facts: string, applied: readonly string[]): Promise<void> {
  await session.run(`CREATE SCHEMA ${quoteIdent(schema)};
CREATE TABLE ${journalTable(schema, "copies")} (id text PRIMARY KEY, source_table bigint NOT NULL, file text NOT NULL, rows bigint NOT NULL,
  bytes bigint NOT NULL, boundary bigint NOT NULL, xid bigint NOT NULL);
CREATE TABLE ${journalTable(schema, "applied")} (entry text PRIMARY KEY);
CREATE TABLE ${journalTable(schema, "run")} (id int PRIMARY KEY, facts text NOT NULL);
INSERT INTO ${journalTable(schema, "run")} VALUES (1, ${quoteLiteral(facts)});
${noteAppliedSql(schema, applied)}`);
}

export async function readFacts(session: Session, schema: string): Promise<string> {
  const [row] = await session.query<{ facts: string }>(`SELECT facts FROM ${journalTable(schema, "run")}`);
  return row?.facts ?? "";
}

/**
 * The statement that notes copies, for the end of their transaction. Where an earlier attempt's COMMIT is still on its way, the primary
 * key makes this one wait for it, and then fail.
 */
export async function noteCopiesSql(journal: Journal, copies: readonly NotedCopy[]): Promise<string> {
  const boundary = await journal.boundary;
  const rows = copies.map(
    ({ id, table, file, rows: n, bytes }) =>
      `(${quoteLiteral(id)}, ${table}, ${quoteLiteral(file)}, ${n}, ${bytes}, ${boundary}, pg_catalog.txid_current())`,
  );
  return `INSERT INTO ${journalTable(journal.schema, "copies")} VALUES ${rows.join(", ")}`;
}

/** What the journal has of these copies; of all, when none are given. */
export async function readCopies(
  session: Session,
  schema: string,
  ids?: readonly string[],
  signal?: AbortSignal,
): Promise<JournaledCopy[]> {
  const rows = await session.query<Omit<JournaledCopy, "rows" | "bytes"> & { rows: string; bytes: string }>(
    `SELECT id, source_table::pg_catalog.oid AS table, file, rows, bytes, boundary, xid FROM ${journalTable(schema, "copies")}
     WHERE $1::pg_catalog.text[] IS NULL OR id = ANY ($1)`,
    [ids ?? null],
    signal,
  );
  return rows.map((row) => ({ ...row, rows: Number(row.rows), bytes: Number(row.bytes) }));
}

/** Notes that schema entries are there; first in their transaction, for the same reason as above. */
export function noteAppliedSql(schema: string, keys: readonly string[]): string {
  const rows = [...new Set(keys)].map((key) => `(${quoteLiteral(key)})`);
  return `INSERT INTO ${journalTable(schema, "applied")} VALUES ${rows.join(", ")}`;
}

/** Those of the keys that the journal has; all that it has, when none are given. */
export async function readApplied(session: Session, schema: string, keys?: readonly string[], signal?: AbortSignal): Promise<Set<string>> {
  const rows = await session.query<{ entry: string }>(
    `SELECT entry FROM ${journalTable(schema, "applied")} WHERE $1::pg_catalog.text[] IS NULL OR entry = ANY ($1)`,
    [keys ?? null],
    signal,
  );
  return new Set(rows.map((row) => row.entry));
}

/** Takes back what is not there any more, and writes down what the run that goes on says of itself. */
export function forgetSql(schema: string, gone: { copies: readonly string[]; applied: readonly string[]; facts: string }): string {
  const list = (values: readonly string[]): string => `ARRAY[${values.map(quoteLiteral).join(", ")}]::pg_catalog.text[]`;
  return [
    `DELETE FROM ${journalTable(schema, "copies")} WHERE id = ANY (${list(gone.copies)})`,
    `DELETE FROM ${journalTable(schema, "applied")} WHERE entry = ANY (${list(gone.applied)})`,
    `UPDATE ${journalTable(schema, "run")} SET facts = ${quoteLiteral(gone.facts)}`,
  ].join("; ");
}

export function dropJournalSql(schema: string): string {
  return `DROP SCHEMA ${quoteIdent(schema)} CASCADE`;
}

/** `to_regnamespace` would look for it with the rights of the role; the catalog is open to everybody. */
export async function hasJournal(session: Session, schema: string): Promise<boolean> {
  return (await session.query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1", [schema])).length > 0;
}
