import { fileOf } from "../catalog/tables.ts";
import { relay, type RelayResult } from "../copy/relay.ts";
import { PgdittoError } from "../errors.ts";
import type { Copy, CopyTask } from "../plan/task.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import { throwIfAborted } from "../util/wait.ts";
import type { TaskContext, TaskResult } from "./context.ts";
import { copyInSql, copyOutSql } from "./copy-sql.ts";
import { noteCopiesSql, type NotedCopy, readCopies } from "./journal.ts";

/**
 * Copies rows in one transaction on the target, which also writes the journal: what it holds is committed, exactly once. Another attempt
 * leaves out what the journal has, so it neither doubles nor loses a row even when the answer to the first attempt's COMMIT was lost.
 */
export async function copyRows(task: CopyTask, context: TaskContext): Promise<TaskResult> {
  const [source, target] = await Promise.all([context.source(), context.target()]);
  const ids = task.copies.map((copy) => copy.id);
  const done = new Map(context.attempt > 1 ? await committed(target, ids, context) : heldOf(ids, context));
  const left = task.copies.filter((copy) => !done.has(copy.id));
  if (left.length > 0) for (const [id, result] of await copyTogether(left, { source, target }, context)) done.set(id, result);
  let [rows, bytes] = [0, 0];
  for (const [id, result] of done) {
    context.recordCopy(id, result);
    rows += result.rows;
    bytes += result.bytes;
  }
  return { rows, bytes };
}

type Results = ReadonlyMap<string, RelayResult>;

async function copyTogether(copies: readonly Copy[], ends: { source: Session; target: Session }, context: TaskContext): Promise<Results> {
  const { source, target } = ends;
  const { pace, signal } = context;
  // while the sessions were being opened nobody listened
  throwIfAborted(signal);
  const stop = (): void => void Promise.all([source.abort(), target.abort()]);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const moved = await relay(ends, {
      copyOut: copies.map((copy) => copyOutSql(copy, context.encoding)).join("; "),
      copyIn: `${context.inTransaction === true ? "" : "BEGIN; "}${copies.map((copy) => copyInSql(copy, context.encoding)).join("; ")}`,
      onBytes: context.onBytes,
      pace: pace && ((bytes) => pace.taken(bytes, signal)),
      describeFailure: (error, at) =>
        error instanceof PgdittoError ? withFacts(error, { object: error.object ?? copies[at]?.object }) : error,
    });
    const results = copies.map(({ id, table }, i) => ({
      id,
      table: table.oid,
      file: fileOf(table),
      ...(moved[i] ?? { rows: 0, bytes: 0 }),
    }));
    return await commit(target, results, context);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Where an earlier attempt's COMMIT was under way after all, the journal refuses this one, and tells what the other has moved. */
async function commit(target: Session, results: readonly NotedCopy[], context: TaskContext): Promise<Results> {
  if (context.inTransaction === true) return byId(results);
  try {
    // on disk: a copy that is done is not done again, so the target must not forget it when it crashes
    const note = context.journal ? `${await noteCopiesSql(context.journal, results)}; ` : "";
    await target.run(`${note}SET LOCAL synchronous_commit = on; COMMIT`);
    return byId(results);
  } catch (error) {
    if (!context.journal || !(error instanceof PgdittoError) || error.sqlstate !== "23505") throw error;
    await target.run("ROLLBACK");
    const ids = results.map(({ id }) => id);
    return await committed(target, ids, context);
  }
}

async function committed(target: Session, ids: readonly string[], { journal, signal }: TaskContext): Promise<Results> {
  return journal ? byId(await readCopies(target, journal.schema, ids, signal)) : new Map();
}

function heldOf(ids: readonly string[], { journal }: TaskContext): Results {
  return byId(ids.flatMap((id) => journal?.held.copies.get(id) ?? []));
}

function byId(copies: readonly NotedCopy[]): Results {
  return new Map(copies.map(({ id, rows, bytes }) => [id, { rows, bytes }]));
}
