import type { TableInfo } from "../catalog/tables.ts";
import type { Side } from "../errors.ts";
import type { CountTask } from "../plan/task.ts";
import { quoteQualified } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { readAndUnlock } from "../postgres/snapshot.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";

/** Counts the tables' rows, on both sides at the same time; the source's are those of the snapshot, so a busy source does no harm. */
export async function countRows(
  task: CountTask,
  context: Pick<TaskContext, "source" | "target" | "signal" | "recordCount">,
): Promise<TaskResult> {
  const on = async (side: Side): Promise<ReadonlyMap<number, number>> =>
    task.sides.includes(side) ? await count(await context[side](), task.tables, context.signal) : new Map();
  const [there, here] = await Promise.all([on("source"), on("target")]);
  for (const table of task.tables) {
    context.recordCount(table.oid, { source: there.get(table.oid) ?? -1, target: here.get(table.oid) ?? -1 });
  }
  return NOTHING_MOVED;
}

async function count(session: Session, tables: readonly TableInfo[], signal: AbortSignal): Promise<Map<number, number>> {
  const selects = tables.flatMap((table) =>
    placesOf(table, session).map(
      (place) => `SELECT ${table.oid}::pg_catalog.oid AS oid, count(*) AS rows FROM ${place} ${table.extension?.condition ?? ""}`,
    ),
  );
  const sql = selects.join(" UNION ALL ");
  type Row = { oid: number; rows: string };
  const rows = await (session.side === "source" ? readAndUnlock<Row>(session, sql, signal) : session.query<Row>(sql, [], signal));
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row.oid, (counts.get(row.oid) ?? 0) + Number(row.rows));
  return counts;
}

/** Where the rows lie. Those that were loaded through a partitioned table may be in any of its partitions on the target. */
function placesOf(table: TableInfo, session: Session): string[] {
  const name = quoteQualified(table.schema, table.name);
  if (!table.parts) return [`ONLY ${name}`];
  return session.side === "target" ? [name] : table.parts.map((part) => `ONLY ${quoteQualified(part.schema, part.name)}`);
}
