import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import type { ConstraintInfo, IndexInfo, MatviewInfo, SequenceInfo } from "../catalog/relations.ts";
import type { RowHashes } from "../catalog/row-hash.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { analyzeTasks } from "./analyze-tasks.ts";
import { buildsByTable, buildTasks } from "./build-tasks.ts";
import { listCopies } from "./copies.ts";
import { copyTasks, copyTasksByTable, largeObjectTasks } from "./copy-tasks.ts";
import { countTasks } from "./count-tasks.ts";
import { type DumpedRows, fromDump, importTasks } from "./dump-tasks.ts";
import { families } from "./family.ts";
import type { IslandInput } from "./islands.ts";
import { preDataTasks } from "./pre-data-tasks.ts";
import type { SqlStep } from "./sql-step.ts";
import { withSql } from "./sql-tasks.ts";
import { splitEntries } from "./split-entries.ts";
import type { KeptRange } from "./split-table.ts";
import { barrier, statementsTask } from "./statements-task.ts";
import type { Copy, RefreshTask, SequencesTask, Task } from "./task.ts";

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
  /** What tables and sequences cannot be created without. */
  relations: IslandInput;
  /** COPYs of one table that pay at a time; 1: no table is split. */
  streams: number;
  /** Whether the source reads a range of blocks without reading the rest: PostgreSQL 14 and newer. */
  rangeScans: boolean;
  /** `--verify checksum`: how rows are hashed. */
  rowHash?: RowHashes | undefined;
  /** The user's own SQL. Default none. */
  steps?: readonly SqlStep[] | undefined;
  /** By OID of the table: what an earlier run has copied of it, and this one keeps. */
  kept: ReadonlyMap<number, readonly KeptRange[]>;
  /** Rows come out of a dump folder, and nothing is asked of the source. */
  dumped?: DumpedRows | undefined;
}

export interface Plan {
  tasks: readonly Task[];
  /** CREATE DATABASE as pg_dump wrote it, under the source's name. */
  database: SchemaEntry | undefined;
  databaseProperties: readonly SchemaEntry[];
  tables: readonly TableInfo[];
  /** Every COPY; a table may have several. */
  copies: readonly Copy[];
  /** Tables whose rows are copied. */
  copied: readonly TableInfo[];
  /** Tables whose rows stay behind because of the user's patterns. */
  unselected: readonly TableInfo[];
  /** Schema objects that are left out because the user said so. */
  skipped: readonly SchemaEntry[];
  /** Bytes of heap and TOAST to move. */
  bytes: number;
  /** The user's own SQL of all stages, also of those that are no tasks. */
  steps?: readonly SqlStep[] | undefined;
}

/** So many tasks are worth a task in the middle. */
const MANY = 500;

/** Makes the graph of tasks out of what the source holds. Pure: the same input gives the same plan. */
export function buildPlan(input: PlanInput): Plan {
  const split = splitEntries(input.entries, input.skipExtensions);
  const family = families(input.tables);
  const preData = preDataTasks(split.preData, input.relations, input.tables);
  const copies = listCopies(input, split.skipped);
  const { dumped } = input;
  const copying = (dumped ? importTasks(dumped, copies) : copyTasks)(copies, input.constraints, preData.readyAfter);
  const copiedBy = copyTasksByTable(copying);
  const largeObjects = fromDump(dumped, largeObjectTasks(input.largeObjects));
  const statistics = statementsTask("statistics", "extended statistics", split.statistics, ["pre-data"]);
  const built = buildTasks({ ...input, split, family, copiedBy });

  const builtOn = buildsByTable(built);
  // own SQL on rows comes behind their counts and ahead of the builds
  const countedBehind: typeof builtOn = input.steps?.some(({ stage }) => stage === "after-data") ? new Map() : builtOn;
  const isSent = (copy: Copy): boolean => !dumped && copy.range === undefined && !input.kept.has(copy.table.oid);
  const counts = fromDump(dumped, countTasks(copies, copiedBy, input.rowHash, { builtOn: countedBehind, isSent }));
  // row level security and privileges may keep the role from the rows that it has to count
  const beforeRest = [...copying, ...largeObjects, ...statistics, ...built, ...counts].map((task) => task.id);
  const restTitle = "triggers, rules, policies, comments";
  // with thousands of tasks an empty one in the middle saves each that comes behind from waiting for all of them, one by one
  const rest =
    split.rest.length > 0 || beforeRest.length >= MANY ? [barrier("rest", restTitle, split.rest, ["pre-data", ...beforeRest])] : [];
  const behindRest = rest.length > 0 ? ["rest"] : ["pre-data", ...beforeRest];
  const privileges = statementsTask("privileges", "privileges", split.privileges, behindRest);
  const behindPrivileges = privileges.length > 0 ? ["privileges"] : behindRest;
  const refreshes = refreshTasks(split.refreshes, input.matviews, behindPrivileges);
  const analyze = analyzeTasks({
    indexes: input.indexes,
    tables: input.tables,
    copiedBy,
    family,
    builtOn,
    refreshes,
    statistics,
    behindRest,
  });
  const all: Task[] = [
    ...preData.tasks,
    ...copying,
    ...largeObjects,
    ...statistics,
    ...built,
    ...rest,
    ...privileges,
    ...refreshes,
    ...analyze,
    ...counts,
  ];
  const sequences: SequencesTask = {
    kind: "sequences",
    id: "sequences",
    object: "sequence values",
    // values of sequences do not belong to any snapshot: read them as late as can be
    after: all.map((task) => task.id),
    cost: 0,
    locks: [],
    sequences: input.sequences.filter(({ extension }) => extension === undefined || !input.skipExtensions.includes(extension)),
  };
  // what the journal has can be gone on with, so it goes last; and it has to be gone when event triggers come, for its DROP would fire them
  const finish: Task = {
    kind: "finish",
    id: "finish",
    object: split.eventTriggers.length > 0 ? "event triggers" : "end of the journal",
    after: [sequences.id],
    cost: 0,
    locks: [],
    entries: split.eventTriggers,
  };
  return {
    tasks: withSql([...all, ...fromDump(dumped, [sequences]), finish], input.steps ?? []),
    database: split.database,
    databaseProperties: split.databaseProperties,
    tables: input.tables,
    copies,
    copied: [...new Map(copies.map(({ table }) => [table.oid, table])).values()],
    unselected: input.tables.filter((table) => table.kind === "r" && !input.selected.has(table.oid)),
    skipped: split.skipped,
    bytes: copies.reduce((sum, copy) => sum + copy.bytes, 0),
    steps: input.steps,
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
