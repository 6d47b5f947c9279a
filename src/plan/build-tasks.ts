import type { ConstraintInfo, IndexInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import { groupBy } from "../util/group-by.ts";
import { attachTasks } from "./attach-tasks.ts";
import { LARGE_TABLE } from "./copies.ts";
import type { Families } from "./family.ts";
import { foreignKeyInTwoSteps } from "./foreign-key-tasks.ts";
import { keyInTwoSteps } from "./key-tasks.ts";
import { buildId, keyIndexId, locksFor, objectName, type Place, placeBuilds } from "./places.ts";
import { postponedTasks } from "./postponed-tasks.ts";
import { smallBuilds } from "./small-builds.ts";
import type { SplitEntries } from "./split-entries.ts";
import type { BuildTask, SmallBuildsTask, StatementsTask } from "./task.ts";

interface BuildInput {
  split: SplitEntries;
  family: Families;
  tables: readonly TableInfo[];
  selected: ReadonlySet<number>;
  /** By table: the tasks that bring its rows. */
  copiedBy: ReadonlyMap<number, readonly string[]>;
  indexes: readonly IndexInfo[];
  constraints: readonly ConstraintInfo[];
}

/** Bytes of an index count for more than those of a table: they are sorted, or inserted one by one. */
const SORTED = 1.5;
const INSERTED = 4;

/**
 * Indexes, constraints, foreign keys, the attachment of partitions' indexes, and the views that wait for them. A table's indexes
 * wait for its own rows only; a foreign key for the rows of both sides and the unique index it refers to.
 */
export function buildTasks(input: BuildInput): Array<BuildTask | SmallBuildsTask | StatementsTask> {
  const places = placeBuilds(input.split.builds, input);
  const byOid = new Map(input.tables.map((table) => [table.oid, table]));
  const bytesOf = (table: number): number =>
    input.family.withDescendants(table).reduce((sum, oid) => sum + (byOid.get(oid)?.bytes ?? 0), 0);
  // a domain's constraint belongs to no table, and pg_dump puts it here because rows break it
  const allRows = [...new Set([...input.copiedBy.values()].flat())];
  const rowsOf = (table: number): readonly string[] =>
    table === 0 ? allRows : tablesFilling(table, input, byOid).flatMap((oid) => input.copiedBy.get(oid) ?? []);

  const makers = new Map(places.flatMap(({ index, entry }) => (index ? [[index.oid, buildId(entry)] as const] : [])));
  const attaches = attachTasks(input.split.attaches, input.indexes, makers);
  const attachOf = new Map(attaches.flatMap((group) => group.indexes.map((index) => [index, group.task.id] as const)));
  const postponed = postponedTasks(input.split, places);
  const postponedOf = new Map(input.split.postponed.map((entry) => [entry.oid, `postponed:${entry.dumpId}`]));
  const keysOf = groupBy(
    places.filter(({ foreignKey }) => foreignKey),
    ({ table }) => table,
  );
  const keysAbove = (table: number): Place[] =>
    (byOid.get(table)?.parents ?? []).flatMap((parent) =>
      input.family.isPartitioned(parent) ? [...(keysOf.get(parent) ?? []), ...keysAbove(parent)] : [],
    );

  const whole = (place: Place): BuildTask => {
    const { entry, foreignKey: key } = place;
    const tables = key ? [place.table, key.refTable] : [place.table];
    const unique = key ? [makers.get(key.refIndex), attachOf.get(key.refIndex)] : [];
    // one that is there already, and says the same, would be taken for the partition's part of it
    const above = key ? keysAbove(place.table).filter(({ foreignKey }) => foreignKey?.refTable === key.refTable) : [];
    const before = [...unique, ...above.map((other) => buildId(other.entry))];
    const after = [...tables.flatMap(rowsOf), ...before, postponedOf.get(place.table), "pre-data"].filter((id) => id !== undefined);
    return {
      kind: key ? "foreign-key" : entry.type === "INDEX" ? "index" : "constraint",
      id: buildId(entry),
      object: objectName(entry),
      after: [...new Set(after)],
      cost: 1000 + (key ? bytesOf(place.table) * 0.2 : bytesOf(place.table) * 0.05 + indexCost(place)),
      locks: locksFor(place, input.family),
      entry,
      partial: key !== undefined && rowsStayBehind(key, input, byOid),
    };
  };
  const builds = places.map((place) => ({ place, task: whole(place) }));
  const isSmall = ({ place, task }: (typeof builds)[number]): boolean =>
    !task.partial && bytesOf(place.table) < LARGE_TABLE && (!place.foreignKey || bytesOf(place.foreignKey.refTable) < LARGE_TABLE);

  const small = smallBuilds(builds.filter(isSmall));
  const large = builds.filter((build) => !isSmall(build));
  const buildsOn = groupBy(large, ({ place }) => place.table);
  const largeKeysTo = groupBy(large, ({ place }) => place.foreignKey?.refTable ?? 0);
  const inSteps = large.flatMap(({ place, task }): BuildTask[] => {
    const table = byOid.get(place.table);
    if (!table || table.kind === "p") return [task];
    const alone = (buildsOn.get(place.table)?.length ?? 0) < 2;
    const soleKey = (largeKeysTo.get(place.foreignKey?.refTable ?? 0)?.length ?? 0) < 2;
    return (
      (alone ? undefined : keyInTwoSteps(place, task, table)) ?? (soleKey ? undefined : foreignKeyInTwoSteps(place, task, table)) ?? [task]
    );
  });
  const steps = behindKeys(inSteps);
  return [...steps, ...small.tasks, ...attaches.map((group) => group.task), ...postponed].map((task) => withGroups(task, small.taskOf));
}

/**
 * Foreign keys behind the moment in which a key of their table takes its index over: that one shuts everybody out, and what only reads
 * the table, counting it, can then go beside them.
 */
function behindKeys(builds: readonly BuildTask[]): BuildTask[] {
  const takenOver = builds.filter(({ kind, entry, after }) => kind === "constraint" && after.includes(keyIndexId(entry)));
  const keysOf = groupBy(takenOver, ({ locks }) => locks[0]?.key);
  return builds.map((task) => {
    if (task.kind !== "foreign-key") return task;
    const keys = task.locks.flatMap(({ key }) => keysOf.get(key) ?? []);
    return { ...task, after: [...new Set([...task.after, ...keys.map(({ id }) => id)])] };
  });
}

/** By table: the tasks that make indexes on it. */
export function buildsByTable(builds: ReturnType<typeof buildTasks>): Map<string | number, string[]> {
  const found = new Map<string | number, string[]>();
  for (const task of builds) {
    if (task.kind === "foreign-key") continue; // it makes no index
    for (const { key } of task.locks) found.set(key, [...(found.get(key) ?? []), task.id]);
  }
  return found;
}

/** Whoever waits for a build waits for the group that it is in. */
function withGroups<T extends { after: readonly string[] }>(task: T, taskOf: ReadonlyMap<string, string>): T {
  return { ...task, after: [...new Set(task.after.map((id) => taskOf.get(id) ?? id))] };
}

function indexCost({ index }: Place): number {
  return index ? index.bytes * (index.method === "btree" ? SORTED : INSERTED) : 0;
}

/** Tables whose copies fill this one and what is below it: themselves, or the partitioned table that they are loaded through. */
function tablesFilling(table: number, input: BuildInput, byOid: ReadonlyMap<number, TableInfo>): number[] {
  const filling = input.family.withDescendants(table).map((oid) => byOid.get(oid)?.through ?? oid);
  return [...new Set(filling)].filter((oid) => input.copiedBy.has(oid));
}

/** A table whose rows were not selected holds none: a key into it from copied rows would fail. */
function rowsStayBehind(key: ConstraintInfo, input: BuildInput, byOid: ReadonlyMap<number, TableInfo>): boolean {
  const holdsRows = tablesFilling(key.table, input, byOid).length > 0;
  return holdsRows && input.family.withDescendants(key.refTable).some((oid) => byOid.get(oid)?.kind === "r" && !input.selected.has(oid));
}
