import type { TableInfo } from "../catalog/tables.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { findIslands, type IslandInput } from "./islands.ts";
import { barrier } from "./statements-task.ts";
import type { Task } from "./task.ts";

/** With fewer tables, one connection is through before another one is at it. */
const MANY_TABLES = 200;
/** Entries of a task: some tenth of a second. */
const SLICE = 250;

/** The tasks that make the schema. */
export interface PreData {
  tasks: Task[];
  /** The task after which a table can take rows. */
  readyAfter: (table: TableInfo) => string;
}

/**
 * Makes the schema in one task, `pre-data`, or, where there are many tables, these beside each other, those with the most bytes first:
 * their rows need not wait for all the others. A partition's do, because attaching one that has rows would read them.
 */
export function preDataTasks(entries: readonly SchemaEntry[], input: IslandInput, tables: readonly TableInfo[]): PreData {
  const many = entries.filter((entry) => entry.type === "TABLE").length >= MANY_TABLES;
  const { first, islands, rest } = many ? findIslands(entries, input) : { first: [], islands: [], rest: entries };
  const slices = inSlicesOf(SLICE, largestFirst(islands, tables));
  if (slices.length < 2) return { tasks: [preData(entries, [])], readyAfter: () => "pre-data" };
  const opening = barrier("pre-data:first", "schemas, types and functions", first, []);
  const middle = slices.map((slice, i) => {
    const made = slice.filter((entry) => entry.type === "TABLE").length;
    return { ...barrier(`pre-data:${i + 1}`, `${made} tables`, slice, [opening.id]), cost: 1e6 };
  });
  const ids = middle.map((task) => task.id);
  const makers = new Map(middle.flatMap((task) => task.entries.map((entry) => [entry.oid, task.id] as const)));
  return {
    tasks: [{ ...opening, cost: 1e6 }, ...middle, preData(rest, ids)],
    readyAfter: ({ oid, root }) => (root === oid ? (makers.get(oid) ?? "pre-data") : "pre-data"),
  };
}

function preData(entries: readonly SchemaEntry[], after: readonly string[]): Task {
  return { kind: "pre-data", id: "pre-data", object: "schema", after, cost: 1e6, locks: [], entries };
}

type Island = readonly SchemaEntry[];

function largestFirst(islands: readonly Island[], tables: readonly TableInfo[]): Island[] {
  const bytes = new Map(tables.map((table) => [table.oid, table.bytes]));
  const size = (island: Island): number => island.reduce((most, entry) => Math.max(most, bytes.get(entry.oid) ?? 0), 0);
  return islands
    .map((island) => ({ island, bytes: size(island) }))
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ island }) => island);
}

/** Islands are not cut. */
function inSlicesOf(size: number, islands: readonly Island[]): SchemaEntry[][] {
  const slices: SchemaEntry[][] = [];
  for (const island of islands) {
    const last = slices.at(-1);
    if (last && last.length < size) last.push(...island);
    else slices.push([...island]);
  }
  return slices;
}
