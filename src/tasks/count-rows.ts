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
 * Counts the tables' rows, on both sides at the same time; the source's are those of the snapshot, so a busy source does no harm. Where a
 * COPY has read the whole table in that snapshot, the number in its tag is the source's count: it would only count the same again.
 * With checksums the hashes of the rows are added up, too: in whatever order and in whatever ranges they are read.
 */
export async function countRows(
  task: CountTask,
  context: Pick<TaskContext, "source" | "target" | "signal" | "recordCount" | "rowsSent" | "inTransaction">,
): Promise<TaskResult> {
  const on = async (side: Side): Promise<ReadonlyMap<number, Found>> => {
    if (!task.sides.includes(side)) return new Map();
    const goesOn = task.frozen.includes(side) || (side === "target" && context.inTransaction === true);
    return await count(await context[side](), task, goesOn, context.signal);
  };
  const [there, here] = await Promise.all([on("source"), on("target")]);
  for (const { oid } of task.tables) {
    const [source, target] = [there.get(oid), here.get(oid)];
    const sums = task.hashes.has(oid) ? { sums: { source: source?.sum ?? 0n, target: target?.sum ?? 0n } } : {};
    const sent = task.sent?.get(oid);
    const rows = source?.rows ?? (sent === undefined ? undefined : context.rowsSent(sent));
    context.recordCount(oid, { source: rows ?? -1, target: target?.rows ?? -1, ...sums });
  }
  return NOTHING_MOVED;
}

/** @param goesOn The session is in a transaction that must not end here. */
async function count(session: Session, task: CountTask, goesOn: boolean, signal: AbortSignal): Promise<Map<number, Found>> {
  const selects = task.tables.flatMap((table) => {
    const hash = task.hashes.get(table.oid)?.sql;
    const sum = hash === undefined ? "NULL::pg_catalog.text" : `pg_catalog.sum(${hash})::pg_catalog.text`;
    return placesOf(table, session.side, task.range).map(
      (place) => `SELECT ${table.oid}::pg_catalog.oid AS oid, count(*) AS rows, ${sum} AS sum FROM ${place}`,
    );
  });
  type Row = { oid: number; rows: string; sum: string | null };
  const rows = goesOn
    ? await readAndUnlock<Row>(session, selects.join(" UNION ALL "), signal)
    : await session.query<Row>(oneAfterTheOther(selects), [], signal);
  const counts = new Map<number, Found>();
  for (const row of rows) {
    const before = counts.get(row.oid) ?? { rows: 0, sum: 0n };
    counts.set(row.oid, { rows: before.rows + Number(row.rows), sum: before.sum + BigInt(row.sum ?? 0) });
  }
  return counts;
}

/**
 * A transaction each, in one round trip: who holds one table while he waits for the next may meet somebody who comes the other way,
 * and keys are built many tables to a transaction meanwhile (seen: 40P01, deadlock detected).
 */
function oneAfterTheOther(selects: readonly string[]): string {
  return selects.map((select) => `BEGIN; ${select}; COMMIT`).join("; ");
}
