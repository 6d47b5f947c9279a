import { inSlices } from "../util/group-by.ts";
import { LARGE_TABLE } from "./copies.ts";
import type { CopyTask, CountTask } from "./task.ts";

/** Large tables are counted one by one as soon as they are in, small ones a hundred to a round trip. */
export function countTasks(tasks: readonly CopyTask[], copiedBy: ReadonlyMap<number, readonly string[]>): CountTask[] {
  const copies = tasks.flatMap((task) => task.copies);
  const tables = [...new Map(copies.map(({ table, object }) => [table.oid, { table, object }])).values()];
  const large = tables.filter(({ table }) => table.bytes >= LARGE_TABLE).map((one) => [one]);
  const small = inSlices(
    tables.filter(({ table }) => table.bytes < LARGE_TABLE),
    100,
  );
  return [...large, ...small].map((group) => ({
    kind: "count",
    sides: ["source", "target"],
    id: `count:${group[0]?.table.oid ?? 0}`,
    object: group.length === 1 ? (group[0]?.object ?? "") : `${group.length} small tables`,
    after: [...new Set(group.flatMap(({ table }) => copiedBy.get(table.oid) ?? []))],
    cost: group.reduce((sum, { table }) => sum + table.bytes * 0.1, 0),
    locks: [],
    tables: group.map(({ table }) => table),
  }));
}
