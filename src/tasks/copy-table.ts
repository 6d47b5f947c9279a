import { relay } from "../copy/relay.ts";
import type { CopyTask } from "../plan/task.ts";
import { quoteIdent, quoteLiteral, quoteQualified } from "../postgres/quote.ts";
import type { TaskContext, TaskResult } from "./context.ts";

/**
 * Copies one table in one transaction on the target. Columns are named on both ends, because their order can differ. Another
 * attempt empties the table first, in the same transaction, so it neither doubles nor loses a row even when the answer to the
 * first attempt's COMMIT was lost.
 */
export async function copyTable(task: CopyTask, context: TaskContext): Promise<TaskResult> {
  const [source, target] = await Promise.all([context.source(), context.target()]);
  const stop = (): void => void Promise.all([source.abort(), target.abort()]);
  context.signal.addEventListener("abort", stop, { once: true });
  try {
    const result = await relay(
      { source, target },
      { copyOut: copyOutSql(task, context.encoding), copyIn: copyInSql(task, context), onBytes: context.onBytes },
    );
    await target.run("COMMIT");
    return result;
  } finally {
    context.signal.removeEventListener("abort", stop);
  }
}

function columns(task: CopyTask): string {
  return task.table.columns
    .filter((column) => !column.generated)
    .map((column) => quoteIdent(column.name))
    .join(", ");
}

function columnList(task: CopyTask): string {
  const names = columns(task);
  return names === "" ? "" : ` (${names})`;
}

function options(task: CopyTask, encoding: string | null, more: readonly string[] = []): string {
  const list = [`FORMAT ${task.format}`, ...(encoding === null ? [] : [`ENCODING ${quoteLiteral(encoding)}`]), ...more];
  return `WITH (${list.join(", ")})`;
}

function copyOutSql(task: CopyTask, encoding: string | null): string {
  const { table } = task;
  const name = quoteQualified(table.schema, table.name);
  if (table.parts) {
    const selects = table.parts.map((part) => `SELECT ${columns(task)} FROM ONLY ${quoteQualified(part.schema, part.name)}`);
    return `COPY (${selects.join(" UNION ALL ")}) TO STDOUT ${options(task, encoding)}`;
  }
  if (!table.extension?.condition) return `COPY ${name}${columnList(task)} TO STDOUT ${options(task, encoding)}`;
  // an extension's condition begins with WHERE, or with other clauses that may follow the table (manual 38.17.3)
  return `COPY (SELECT ${columns(task)} FROM ONLY ${name} ${table.extension.condition}) TO STDOUT ${options(task, encoding)}`;
}

function copyInSql(task: CopyTask, context: TaskContext): string {
  const { table } = task;
  const name = quoteQualified(table.schema, table.name);
  const only = table.parts ? "" : "ONLY ";
  const empty = table.extension ? `DELETE FROM ONLY ${name} ${table.extension.condition};` : `TRUNCATE ${only}${name};`;
  const prepare = task.freeze || context.attempt > 1 ? empty : "";
  const freeze = task.freeze ? ["FREEZE"] : [];
  return `BEGIN; ${prepare} COPY ${name}${columnList(task)} FROM STDIN ${options(task, context.encoding, freeze)}`;
}
