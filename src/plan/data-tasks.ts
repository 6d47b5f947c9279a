import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import type { ConstraintInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import { displayName } from "../postgres/quote.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { groupBy, inSlices } from "../util/group-by.ts";
import { tablesBefore } from "./extension-order.ts";
import type { CopyTask, CountTask, LargeObjectsTask } from "./task.ts";

/** From this size on, a table gets TRUNCATE and COPY … FREEZE, and tasks of its own for ANALYZE and counting. Bytes. */
export const LARGE_TABLE = 4 * 1024 * 1024;
/** What a task costs besides its bytes: round trips, in bytes that could have been moved meanwhile. */
const TASK_COST = 64 * 1024;

interface CopyInput {
  tables: readonly TableInfo[];
  selected: ReadonlySet<number>;
  constraints: readonly ConstraintInfo[];
  binaryObstacle: (typeOid: number) => string | undefined;
}

export function copyTasks(input: CopyInput, skipped: readonly SchemaEntry[]): CopyTask[] {
  const skippedExtensions = new Set(skipped.filter((entry) => entry.type === "EXTENSION").map((entry) => entry.name));
  const copied = input.tables.filter(
    (table) => table.kind === "r" && input.selected.has(table.oid) && !skippedExtensions.has(table.extension?.name ?? ""),
  );
  const before = tablesBefore(copied, input.constraints);
  return joinThrough(copied, input.tables).map((table) => {
    const formatReason = textReason(table, input.binaryObstacle);
    return {
      kind: "copy",
      id: `copy:${table.oid}`,
      object: displayName(table.schema, table.name),
      after: ["pre-data", ...(before.get(table.oid) ?? []).map((oid) => `copy:${oid}`)],
      cost: table.bytes + TASK_COST,
      locks: [table, ...(table.parts ?? [])].map(({ oid }) => ({ key: oid, exclusive: true })),
      table,
      format: formatReason === undefined ? "binary" : "text",
      formatReason,
      // a partitioned table cannot be frozen
      freeze: table.bytes >= LARGE_TABLE && table.extension === undefined && table.parts === undefined,
    };
  });
}

/** Partitions whose rows are loaded through a partitioned table are copied as one, so that another attempt can empty all of them. */
function joinThrough(copied: readonly TableInfo[], all: readonly TableInfo[]): TableInfo[] {
  const byOid = new Map(all.map((table) => [table.oid, table]));
  const joined = groupBy(
    copied.filter((table) => table.through !== undefined),
    (table) => table.through ?? 0,
  );
  const wholes = [...joined].flatMap(([oid, parts]) => {
    const table = byOid.get(oid);
    const sum = (value: (part: TableInfo) => number): number => parts.reduce((total, part) => total + value(part), 0);
    return table ? [{ ...table, bytes: sum((part) => part.bytes), rowEstimate: sum((part) => part.rowEstimate), parts }] : [];
  });
  return [...copied.filter((table) => table.through === undefined), ...wholes];
}

function textReason(table: TableInfo, binaryObstacle: (typeOid: number) => string | undefined): string | undefined {
  const copied = table.columns.filter((column) => !column.generated);
  if (copied.length === 0) return "no columns to copy";
  for (const column of copied) {
    const reason = binaryObstacle(column.type);
    if (reason !== undefined) return `column ${column.name}: ${reason}`;
  }
  return undefined;
}

export function largeObjectTasks(objects: readonly LargeObjectInfo[]): LargeObjectsTask[] {
  return inSlices(objects, 200).map((slice, i) => ({
    kind: "large-objects",
    id: `large-objects:${i}`,
    object: `large objects ${slice[0]?.oid ?? 0} to ${slice.at(-1)?.oid ?? 0}`,
    after: ["pre-data"],
    cost: slice.length * TASK_COST,
    locks: [],
    objects: slice,
  }));
}

/** Large tables are counted one by one as soon as they are in, small ones a hundred to a round trip. */
export function countTasks(copies: readonly CopyTask[]): CountTask[] {
  const large = copies.filter((task) => task.table.bytes >= LARGE_TABLE).map((task) => [task]);
  const small = inSlices(
    copies.filter((task) => task.table.bytes < LARGE_TABLE),
    100,
  );
  return [...large, ...small].map((group) => ({
    kind: "count",
    id: `count:${group[0]?.table.oid ?? 0}`,
    object: group.length === 1 ? (group[0]?.object ?? "") : `${group.length} small tables`,
    after: group.map((task) => task.id),
    cost: group.reduce((sum, task) => sum + task.table.bytes * 0.1, 0),
    locks: [],
    tables: group.map((task) => task.table),
  }));
}
