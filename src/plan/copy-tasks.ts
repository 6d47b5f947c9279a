import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import type { ConstraintInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { NodeLock } from "../scheduler/graph.ts";
import { groupBy, inSlices } from "../util/group-by.ts";
import { tablesBefore } from "./extension-order.ts";
import { grouped } from "./grouped.ts";
import type { Copy, CopyTask, LargeObjectsTask } from "./task.ts";

/** Smaller tables go many to a transaction. Bytes of heap and TOAST. */
const SMALL_TABLE = 256 * 1024;
/** What a COPY costs besides its bytes, in bytes that could have been moved meanwhile. */
const COPY_COST = 64 * 1024;

/** The tasks that copy rows; small tables share one, because a round trip and a commit cost more than their rows. */
export function copyTasks(
  copies: readonly Copy[],
  constraints: readonly ConstraintInfo[],
  readyAfter: (table: TableInfo) => string | undefined,
): CopyTask[] {
  const before = tablesBefore(
    copies.map((copy) => copy.table),
    constraints,
  );
  const isSmall = (copy: Copy): boolean => copy.bytes < SMALL_TABLE && copy.table.extension === undefined && copy.table.parts === undefined;
  const waited = (copy: Copy): string[] => [readyAfter(copy.table)].filter((id) => id !== undefined);
  const alone = copies.filter((copy) => !isSmall(copy));
  return [
    ...alone.map((copy) => copyTask([copy], [...waited(copy), ...(before.get(copy.table.oid) ?? []).map((oid) => `copy:${oid}`)])),
    ...grouped(inOrderOf(copies.filter(isSmall), readyAfter)).map((group) => copyTask(group, [...new Set(group.flatMap(waited))])),
  ];
}

function copyTask(copies: readonly Copy[], after: readonly string[]): CopyTask {
  const [first] = copies;
  return {
    kind: "copy",
    id: copies.length === 1 ? (first?.id ?? "") : `copies:${first?.table.oid ?? 0}`,
    object: copies.length === 1 ? (first?.object ?? "") : `${copies.length} small tables`,
    after,
    cost: copies.reduce((sum, copy) => sum + copy.bytes + COPY_COST, 0),
    locks: copies.flatMap(locksOf),
    copies,
  };
}

/** Those that are ready together go together. */
function inOrderOf(copies: readonly Copy[], readyAfter: (table: TableInfo) => string | undefined): Copy[] {
  return [...groupBy(copies, (copy) => readyAfter(copy.table)).values()].flat();
}

/** Ranges of a table go beside each other. */
function locksOf(copy: Copy): NodeLock[] {
  return [copy.table, ...(copy.table.parts ?? [])].map(({ oid }) => ({ key: oid, exclusive: copy.range === undefined }));
}

/** By table: the tasks that bring its rows. */
export function copyTasksByTable(tasks: ReadonlyArray<Pick<CopyTask, "id" | "copies">>): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const task of tasks) for (const { table } of task.copies) found.set(table.oid, [...(found.get(table.oid) ?? []), task.id]);
  return found;
}

export function largeObjectTasks(objects: readonly LargeObjectInfo[]): LargeObjectsTask[] {
  return inSlices(objects, 200).map((slice, i) => ({
    kind: "large-objects",
    id: `large-objects:${i}`,
    object: `large objects ${slice[0]?.oid ?? 0} to ${slice.at(-1)?.oid ?? 0}`,
    after: ["pre-data"],
    cost: slice.length * COPY_COST,
    locks: [],
    objects: slice,
  }));
}
