import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import type { ConstraintInfo, IndexInfo, MatviewInfo, SequenceInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { analyzeTasks } from "./analyze-tasks.ts";
import { buildTasks } from "./build-tasks.ts";
import { copyTasks, countTasks, largeObjectTasks } from "./data-tasks.ts";
import { families } from "./family.ts";
import { splitEntries } from "./split-entries.ts";
import { barrier, statementsTask } from "./statements-task.ts";
import type { CopyTask, RefreshTask, Task } from "./task.ts";

/** All that the plan is made of; nothing else is looked at. */
export interface PlanInput {
  entries: readonly SchemaEntry[];
  tables: readonly TableInfo[];
  /** OIDs of the tables whose rows are copied. */
  selected: ReadonlySet<number>;
  indexes: readonly IndexInfo[];
  constraints: readonly ConstraintInfo[];
  matviews: readonly MatviewInfo[];
  sequences: readonly SequenceInfo[];
  largeObjects: readonly LargeObjectInfo[];
  /** Why values of a type cannot pass in binary; undefined when they can. */
  binaryObstacle: (typeOid: number) => string | undefined;
  skipExtensions: readonly string[];
}

export interface Plan {
  tasks: readonly Task[];
  /** CREATE DATABASE as pg_dump wrote it, under the source's name. */
  database: SchemaEntry | undefined;
  databaseProperties: readonly SchemaEntry[];
  tables: readonly TableInfo[];
  copies: readonly CopyTask[];
  /** Tables whose rows stay behind because of the user's patterns. */
  unselected: readonly TableInfo[];
  /** Schema objects that are left out because the user said so. */
  skipped: readonly SchemaEntry[];
  /** Bytes of heap and TOAST to move. */
  bytes: number;
}

/** So many tasks are worth a task in the middle. */
const MANY = 500;

/** Makes the graph of tasks out of what the source holds. Pure: the same input gives the same plan. */
export function buildPlan(input: PlanInput): Plan {
  const split = splitEntries(input.entries, input.skipExtensions);
  const family = families(input.tables);
  const preData: Task = {
    kind: "pre-data",
    id: "pre-data",
    object: "schema",
    after: [],
    cost: 1e6,
    locks: [],
    entries: split.preData,
  };
  const copies = copyTasks(input, split.skipped);
  const copied = new Set(copies.map((task) => task.table.oid));
  const largeObjects = largeObjectTasks(input.largeObjects);
  const statistics = statementsTask("statistics", "extended statistics", split.statistics, ["pre-data"]);
  const built = buildTasks({ ...input, split, family, copied });

  const beforeRest = [...copies, ...largeObjects, ...statistics, ...built].map((task) => task.id);
  const restTitle = "triggers, rules, policies, comments";
  // with thousands of tasks an empty one in the middle saves each that comes behind from waiting for all of them, one by one
  const rest =
    split.rest.length > 0 || beforeRest.length >= MANY ? [barrier("rest", restTitle, split.rest, ["pre-data", ...beforeRest])] : [];
  const behindRest = rest.length > 0 ? ["rest"] : ["pre-data", ...beforeRest];
  const privileges = statementsTask("privileges", "privileges", split.privileges, behindRest);
  const behindPrivileges = privileges.length > 0 ? ["privileges"] : behindRest;
  const refreshes = refreshTasks(split.refreshes, input.matviews, behindPrivileges);
  const refreshIds = refreshes.map((task) => task.id);
  const eventTriggers = statementsTask("event-triggers", "event triggers", split.eventTriggers, [...behindPrivileges, ...refreshIds]);
  const analyze = analyzeTasks({ tables: input.tables, copied, family, builds: built, refreshes, statistics, behindRest });
  const counts = countTasks(copies);
  const all: Task[] = [
    preData,
    ...copies,
    ...largeObjects,
    ...statistics,
    ...built,
    ...rest,
    ...privileges,
    ...refreshes,
    ...eventTriggers,
    ...analyze,
    ...counts,
  ];
  const sequences: Task = {
    kind: "sequences",
    id: "sequences",
    object: "sequence values",
    // values of sequences do not belong to any snapshot: read them as late as can be
    after: all.map((task) => task.id),
    cost: 0,
    locks: [],
    sequences: input.sequences.filter(({ extension }) => extension === undefined || !input.skipExtensions.includes(extension)),
  };
  return {
    tasks: [...all, sequences],
    database: split.database,
    databaseProperties: split.databaseProperties,
    tables: input.tables,
    copies,
    unselected: input.tables.filter((table) => table.kind === "r" && !input.selected.has(table.oid)),
    skipped: split.skipped,
    bytes: copies.reduce((sum, task) => sum + task.table.bytes, 0),
  };
}

function refreshTasks(entries: readonly SchemaEntry[], matviews: readonly MatviewInfo[], after: readonly string[]): RefreshTask[] {
  const byDumpId = new Map(entries.map((entry) => [entry.dumpId, `refresh:${entry.dumpId}`]));
  return entries.map((entry) => ({
    kind: "refresh",
    id: `refresh:${entry.dumpId}`,
    object: entry.schema === "" ? entry.name : `${entry.schema}.${entry.name}`,
    // pg_dump lists which other materialized views must be filled before
    after: [...after, ...entry.dependencies.flatMap((id) => (id === entry.dumpId ? [] : (byDumpId.get(id) ?? [])))],
    cost: 1e6,
    locks: [{ key: entry.oid, exclusive: true }],
    entry,
    matview: matviews.find((matview) => matview.oid === entry.oid),
  }));
}
