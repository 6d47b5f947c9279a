import type { SchemaEntry } from "../schema/entries.ts";
import { findIslands, type IslandInput } from "./islands.ts";
import { barrier } from "./statements-task.ts";
import type { Task } from "./task.ts";

/** With fewer tables, one connection is through before another one is at it. */
const MANY_TABLES = 200;
/** Entries of a task: some tenth of a second. */
const SLICE = 250;

/** The tasks that make the schema; all else waits for the last one, `pre-data`. */
export function preDataTasks(entries: readonly SchemaEntry[], input: IslandInput): Task[] {
  const many = entries.filter((entry) => entry.type === "TABLE").length >= MANY_TABLES;
  const { first, islands, rest } = many ? findIslands(entries, input) : { first: [], islands: [], rest: entries };
  const slices = inSlicesOf(SLICE, islands);
  if (slices.length < 2) return [preData(entries, [])];
  const opening = barrier("pre-data:first", "schemas, types and functions", first, []);
  const middle = slices.map((slice, i) => {
    const tables = slice.filter((entry) => entry.type === "TABLE").length;
    return { ...barrier(`pre-data:${i + 1}`, `${tables} tables`, slice, [opening.id]), cost: 1e6 };
  });
  return [
    { ...opening, cost: 1e6 },
    ...middle,
    preData(
      rest,
      middle.map((task) => task.id),
    ),
  ];
}

function preData(entries: readonly SchemaEntry[], after: readonly string[]): Task {
  return { kind: "pre-data", id: "pre-data", object: "schema", after, cost: 1e6, locks: [], entries };
}

/** Islands are not cut. */
function inSlicesOf(size: number, islands: ReadonlyArray<readonly SchemaEntry[]>): SchemaEntry[][] {
  const slices: SchemaEntry[][] = [];
  for (const island of islands) {
    const last = slices.at(-1);
    if (last && last.length < size) last.push(...island);
    else slices.push([...island]);
  }
  return slices;
}
