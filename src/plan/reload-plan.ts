import type { SequenceInfo } from "../catalog/relations.ts";
import type { RowHashes } from "../catalog/row-hash.ts";
import { shapeKey, type TableShape } from "../catalog/table-shapes.ts";
import type { TableInfo } from "../catalog/tables.ts";
import { inSlices } from "../util/group-by.ts";
import type { Plan } from "./build-plan.ts";
import { LARGE_TABLE, listCopies } from "./copies.ts";
import { copyTasks, copyTasksByTable } from "./copy-tasks.ts";
import { countTasks } from "./count-tasks.ts";
import type { SqlStep } from "./sql-step.ts";
import { withSqlAroundRows } from "./sql-tasks.ts";
import type { AnalyzeTask, Copy, CopyTask, SequencesTask, Task } from "./task.ts";

export interface ReloadInput {
  /** As `matchTables` has them. */
  tables: readonly TableInfo[];
  selected: ReadonlySet<number>;
  /** The target's, by `shapeKey`. */
  shapes: ReadonlyMap<string, TableShape>;
  binaryObstacle: (typeOid: number) => string | undefined;
  rowHash: RowHashes | undefined;
  sequences: readonly SequenceInfo[];
  /** One transaction for all of it, which has emptied the tables before. With `order`, the places that tables have in it, by OID. */
  atomic: boolean;
  /** The user's own SQL. */
  steps: readonly SqlStep[];
  order?: ReadonlyMap<number, number> | undefined;
}

export interface ReloadPlan {
  /** Brings the rows, and counts them. */
  rows: Plan;
  /** What comes when everything is back in its place: values of sequences, statistics. */
  after: Plan;
}

/** The tasks that replace rows in place. Pure: the same input gives the same plan. */
export function buildReloadPlan(input: ReloadInput): ReloadPlan {
  const copies = listCopies({ ...input, streams: 1, rangeScans: false, kept: new Map() }, []).map((copy): Copy => {
    if (input.atomic) return { ...copy, freeze: false };
    const inTree = copy.table.parts !== undefined && input.shapes.get(shapeKey(copy.table))?.kind === "p";
    return { ...copy, replaces: inTree ? "tree" : "table" };
  });
  const copying = input.order ? inOrder(copies, input.order) : copyTasks(copies, [], () => undefined);
  const counting = countTasks(copies, copyTasksByTable(copying), input.rowHash);
  const copied = copies.map((copy) => copy.table);
  const plan = (tasks: readonly Task[], ofCopies: readonly Copy[]): Plan => ({
    tasks,
    database: undefined,
    databaseProperties: [],
    tables: input.tables,
    copies: ofCopies,
    copied,
    unselected: input.tables.filter((table) => table.kind === "r" && !input.selected.has(table.oid)),
    skipped: [],
    steps: input.steps,
    bytes: copies.reduce((sum, copy) => sum + copy.bytes, 0),
  });
  return {
    rows: plan(withSqlAroundRows([...copying, ...counting], input.steps), copies),
    after: plan([...sequenceTasks(input.sequences), ...analyzeTasks(copied, input)], []),
  };
}

/** Where foreign keys are looked at row by row: one behind the other. */
function inOrder(copies: readonly Copy[], order: ReadonlyMap<number, number>): CopyTask[] {
  const sorted = copies.toSorted((a, b) => (order.get(a.table.oid) ?? 0) - (order.get(b.table.oid) ?? 0));
  return sorted.map((copy, i) => ({
    kind: "copy",
    id: copy.id,
    object: copy.object,
    after: sorted.slice(Math.max(0, i - 1), i).map(({ id }) => id),
    cost: copy.bytes,
    locks: [],
    copies: [copy],
  }));
}

function sequenceTasks(sequences: readonly SequenceInfo[]): SequencesTask[] {
  if (sequences.length === 0) return [];
  return [{ kind: "sequences", id: "sequences", object: "sequence values", after: [], cost: 0, locks: [], sequences }];
}

/** A partition's tree as a whole, which autovacuum never does. */
function analyzeTasks(copied: readonly TableInfo[], { tables, shapes }: ReloadInput): AnalyzeTask[] {
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  const tops = copied.map((table) => {
    const top = byOid.get(table.root);
    return top && shapes.get(shapeKey(top))?.kind === "p" ? top : table;
  });
  const size = new Map(copied.map((table) => [table.oid, table.bytes]));
  const distinct = [...new Set(tops)];
  const isLarge = (table: TableInfo): boolean => table.kind === "p" || (size.get(table.oid) ?? 0) >= LARGE_TABLE;
  const groups = [
    ...distinct.filter(isLarge).map((table) => [table]),
    ...inSlices(
      distinct.filter((table) => !isLarge(table)),
      50,
    ),
  ];
  return groups.map((group) => ({
    kind: "analyze",
    id: `analyze:${group[0]?.oid ?? 0}`,
    object: group.length === 1 ? (group[0]?.name ?? "") : `${group.length} small tables`,
    after: [],
    cost: group.reduce((sum, table) => sum + table.bytes, 0),
    locks: [],
    relations: group.map(({ schema, name }) => ({ schema, name, carried: [] })),
  }));
}
