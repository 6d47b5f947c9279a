import type { Side } from "../errors.ts";
import { placesOf } from "../plan/table-places.ts";
import type { CountTask } from "../plan/task.ts";
import type { Session } from "../postgres/session.ts";
import { readAndUnlock } from "../postgres/snapshot.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";

interface Found {
  rows: number;
  sum: bigint;
}

/**
 * Counts the tables' rows, on both sides at the same time; the source's are those of the snapshot, so a busy source does no harm.
 * With checksums the hashes of the rows are added up, too: in whatever order and in whatever ranges they are read.
 */
export async function countRows(
  task: CountTask,
  context: Pick<TaskContext, "source" | "target" | "signal" | "recordCount">,
): Promise<TaskResult> {
  const on = async (side: Side): Promise<ReadonlyMap<number, Found>> =>
    task.sides.includes(side) ? await count(await context[side](), task, context.signal) : new Map();
  const [there, here] = await Promise.all([on("source"), on("target")]);
  for (const { oid } of task.tables) {
    const [source, target] = [there.get(oid), here.get(oid)];
    const sums = task.hashes.has(oid) ? { sums: { source: source?.sum ?? 0n, target: target?.sum ?? 0n } } : {};
    context.recordCount(oid, { source: source?.rows ?? -1, target: target?.rows ?? -1, ...sums });
  }
  return NOTHING_MOVED;
}

async function count(session: Session, task: CountTask, signal: AbortSignal): Promise<Map<number, Found>> {
  const selects = task.tables.flatMap((table) => {
    const hash = task.hashes.get(table.oid)?.sql;
    const sum = hash === undefined ? "NULL::pg_catalog.text" : `pg_catalog.sum(${hash})::pg_catalog.text`;
    return placesOf(table, session.side, task.range).map(
      (place) => `SELECT ${table.oid}::pg_catalog.oid AS oid, count(*) AS rows, ${sum} AS sum FROM ${place}`,
    );
  });
  const sql = selects.join(" UNION ALL ");
  type Row = { oid: number; rows: string; sum: string | null };
  const rows = await (task.frozen.includes(session.side) ? readAndUnlock<Row>(session, sql, signal) : session.query<Row>(sql, [], signal));
  const counts = new Map<number, Found>();
  for (const row of rows) {
    const before = counts.get(row.oid) ?? { rows: 0, sum: 0n };
    counts.set(row.oid, { rows: before.rows + Number(row.rows), sum: before.sum + BigInt(row.sum ?? 0) });
  }
  return counts;
}
