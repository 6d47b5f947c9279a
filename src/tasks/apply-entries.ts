import { PgdittoError } from "../errors.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import { isConnectionLoss } from "../postgres/sqlstate.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import type { TaskContext } from "./context.ts";
import { type Journal, noteAppliedSql, readApplied } from "./journal.ts";

/** Statements to a round trip: fewer waits on a distant server, yet few locks in one transaction. */
const BATCH_ENTRIES = 100;
const BATCH_CHARACTERS = 200_000;

/**
 * Waits until everything committed so far is on disk. Rows, indexes and constraints are looked at again at the end; that a comment
 * or a grant was lost when the target crashed, nobody would see. A commit waits for the disk only if its own transaction has written
 * something: taking a transaction's number (`txid_current()`) is not enough (measured; xact.c, RecordTransactionCommit).
 */
export async function flush(session: Session, signal: AbortSignal): Promise<void> {
  await session.run(
    "BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_catalog.pg_logical_emit_message(true, 'pgditto', ''); COMMIT",
    signal,
  );
}

/** What a server says to a language it does not know: syntax error, feature not supported, invalid parameter. */
const NOT_UNDERSTOOD = new Set(["42601", "0A000", "22023"]);
/** So many objects an error names; the rest is a number. */
const NAMED = 20;

/**
 * Runs entries in order, many to a round trip; each batch is one transaction. When a batch fails it is rolled back, and its
 * entries run one by one, so that the error names the object. When the target does not understand one, the others are tried too:
 * whoever goes back to an older server wants the whole list. What the journal has is left out.
 */
export async function applyEntries(session: Session, entries: readonly SchemaEntry[], context: ApplyContext): Promise<void> {
  const failures: PgdittoError[] = [];
  for (const batch of batches(await missingOf(session, entries, context))) {
    try {
      await session.run(noting(context, batch, sqlOfBatch(batch)), context.signal);
    } catch (error) {
      if (endsTheTask(error)) throw error;
      for (const entry of batch) {
        try {
          await applyEntry(session, entry, context);
        } catch (failure) {
          const strange = failure instanceof PgdittoError && NOT_UNDERSTOOD.has(failure.sqlstate ?? "");
          if (strange) failures.push(failure);
          // behind a first one, what misses it fails too, and is not worth telling
          else if (failures.length === 0 || endsTheTask(failure)) throw failure;
        }
      }
    }
  }
  const [first, ...others] = failures;
  if (first) throw namingAll(first, others);
}

/** With a journal, what it has is not done again, and what is done is noted in the same transaction. */
type ApplyContext = Pick<TaskContext, "attempt" | "signal"> & { journal: Journal | undefined };

async function missingOf(session: Session, entries: readonly SchemaEntry[], context: ApplyContext): Promise<readonly SchemaEntry[]> {
  const { journal, attempt, signal } = context;
  if (!journal) return entries;
  const keys = entries.map((entry) => entry.key);
  const applied = attempt > 1 ? await readApplied(session, journal.schema, keys, signal) : journal.held.applied;
  return applied.size === 0 ? entries : entries.filter((entry) => !applied.has(entry.key));
}

function noting({ journal }: ApplyContext, entries: readonly SchemaEntry[], sql: string): string {
  if (!journal) return sql;
  const keys = entries.map((entry) => entry.key);
  return `${noteAppliedSql(journal.schema, keys)}; ${sql}`;
}

function endsTheTask(error: unknown): boolean {
  return !(error instanceof PgdittoError) || error.code === "cancelled" || isConnectionLoss(error.sqlstate);
}

function namingAll(first: PgdittoError, others: readonly PgdittoError[]): PgdittoError {
  if (others.length === 0) return first;
  const lines = others.slice(0, NAMED).map((error) => `  ${error.object}: ${error.message}`);
  const more = others.length > NAMED ? [`  … and ${others.length - NAMED} more`] : [];
  return withFacts(first, {
    detail: [first.detail, "Nor does it take:", ...lines, ...more].filter((line) => line !== undefined).join("\n"),
  });
}

/** Runs one entry unless the journal has it; the error says which object could not be created. */
export async function applyEntry(session: Session, entry: SchemaEntry, context: ApplyContext, sql = entry.sql): Promise<void> {
  if ((await missingOf(session, [entry], context)).length === 0) return;
  try {
    await session.run(noting(context, [entry], sqlOf({ ...entry, sql })), context.signal);
  } catch (error) {
    if (!(error instanceof PgdittoError) || error.code === "cancelled") throw error;
    // an earlier attempt's commit was on its way, or another entry says the same
    if (error.sqlstate === "23505" && (await missingOf(session, [entry], { ...context, attempt: 2 })).length === 0) return;
    const object = `${entry.type} ${entry.schema === "" ? "" : `${entry.schema}.`}${entry.name}`;
    const head = sql.length > 300 ? `${sql.slice(0, 300)} …` : sql;
    throw withFacts(
      error,
      {
        object,
        detail: [error.detail, `Statement: ${head}`].filter((line) => line !== undefined).join("\n"),
        hint: error.hint ?? hintFor(error, entry),
      },
      "schema",
    );
  }
}

function hintFor(error: PgdittoError, entry: SchemaEntry): string | undefined {
  if (error.sqlstate === "42501")
    return "The target's role may not create this. Use a role that owns the objects or is a superuser, or leave it out (--no-owner, --no-acl).";
  if (error.sqlstate === "42704" || error.sqlstate === "42883")
    return `Something that ${entry.type.toLowerCase()} ${entry.name} needs is missing on the target: was an extension left out, or is the target older?`;
  if (error.sqlstate === "42601" || error.sqlstate === "0A000")
    return `The target does not know what ${entry.type.toLowerCase()} ${entry.name} is written in: is its server older than the source's, or built with less?`;
  if (error.sqlstate === "23503")
    return "Rows on the source break this foreign key (it was switched off when they came in). Delete them there, or make the constraint NOT VALID.";
  if (error.sqlstate === "53100") return "The target's disk is full.";
  return undefined;
}

/** The settings in force for the entry come first; they are cheap, and no other task's settings may leak into it. */
function sqlOf(entry: SchemaEntry): string {
  return `${entry.settings} ${entry.sql}`;
}

/** Settings that the entry before has made need not be made again. */
function sqlOfBatch(batch: readonly SchemaEntry[]): string {
  return batch.map((entry, i) => (i > 0 && batch[i - 1]?.settings === entry.settings ? entry.sql : sqlOf(entry))).join("\n");
}

function* batches(entries: readonly SchemaEntry[]): Generator<SchemaEntry[]> {
  let batch: SchemaEntry[] = [];
  let size = 0;
  for (const entry of entries) {
    batch.push(entry);
    size += entry.sql.length;
    if (batch.length < BATCH_ENTRIES && size < BATCH_CHARACTERS) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}
