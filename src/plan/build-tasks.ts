import type { ConstraintInfo, IndexInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { NodeLock } from "../scheduler/graph.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { groupBy } from "../util/group-by.ts";
import type { Families } from "./family.ts";
import type { SplitEntries } from "./split-entries.ts";
import type { BuildTask, StatementsTask } from "./task.ts";

interface BuildInput {
  split: SplitEntries;
  family: Families;
  tables: readonly TableInfo[];
  selected: ReadonlySet<number>;
  copied: ReadonlySet<number>;
  indexes: readonly IndexInfo[];
  constraints: readonly ConstraintInfo[];
}

/** A build's place in the catalog. */
interface Place {
  entry: SchemaEntry;
  table: number;
  /** OID of the index it makes; 0 when none. */
  index: number;
  foreignKey: ConstraintInfo | undefined;
}

/**
 * Indexes, constraints, foreign keys, the attachment of partitions' indexes, and the views that wait for them. A table's indexes
 * wait for its own rows only; a foreign key for the rows of both sides and the unique index it refers to.
 */
export function buildTasks(input: BuildInput): Array<BuildTask | StatementsTask> {
  const places = placeBuilds(input);
  const byOid = new Map(input.tables.map((table) => [table.oid, table]));
  const rowsOf = (table: number): string[] => copiesOf(table, input, byOid).map((oid) => `copy:${oid}`);
  const bytesOf = (table: number): number =>
    input.family.withDescendants(table).reduce((sum, oid) => sum + (byOid.get(oid)?.bytes ?? 0), 0);

  const attaches = attachTasks(input, places);
  const makerOf = new Map(places.filter((place) => place.index !== 0).map((place) => [place.index, `build:${place.entry.dumpId}`]));
  const attachOf = new Map(attaches.flatMap((group) => group.indexes.map((index) => [index, group.task.id] as const)));

  const postponed = postponedTasks(input, places);
  const postponedOf = new Map(input.split.postponed.map((entry) => [entry.oid, `postponed:${entry.dumpId}`]));

  const builds = places.map((place): BuildTask => {
    const key = place.foreignKey;
    const tables = key ? [place.table, key.refTable] : [place.table];
    const unique = key ? [makerOf.get(key.refIndex), attachOf.get(key.refIndex)] : [];
    const after = [...tables.flatMap(rowsOf), ...unique, postponedOf.get(place.table), "pre-data"].filter((id) => id !== undefined);
    return {
      kind: key ? "foreign-key" : place.entry.type === "INDEX" ? "index" : "constraint",
      id: `build:${place.entry.dumpId}`,
      object: objectName(place.entry),
      after: [...new Set(after)],
      cost: 1000 + bytesOf(place.table) * (key ? 0.2 : 0.4),
      locks: locksFor(place, input.family),
      entry: place.entry,
      partial: key !== undefined && rowsStayBehind(key, input, byOid),
    };
  });
  return [...builds, ...attaches.map((group) => group.task), ...postponed];
}

/** Tables whose copies fill this one and what is below it: themselves, or the partitioned table that they are loaded through. */
function copiesOf(table: number, input: BuildInput, byOid: ReadonlyMap<number, TableInfo>): number[] {
  return input.family
    .withDescendants(table)
    .map((oid) => byOid.get(oid)?.through ?? oid)
    .filter((oid) => input.copied.has(oid));
}

function placeBuilds(input: BuildInput): Place[] {
  const constraints = new Map(input.constraints.map((constraint) => [constraint.oid, constraint]));
  const indexes = new Map(input.indexes.map((index) => [index.oid, index]));
  return input.split.builds.map((entry) => {
    const constraint = entry.type === "INDEX" ? undefined : constraints.get(entry.oid);
    const index = entry.type === "INDEX" ? entry.oid : (constraint?.index ?? 0);
    return {
      entry,
      table: constraint?.table ?? indexes.get(index)?.table ?? 0,
      index,
      foreignKey: constraint?.type === "f" ? constraint : undefined,
    };
  });
}

/** A table whose rows were not selected holds none: a key into it from copied rows would fail. */
function rowsStayBehind(key: ConstraintInfo, input: BuildInput, byOid: ReadonlyMap<number, TableInfo>): boolean {
  const holdsRows = copiesOf(key.table, input, byOid).length > 0;
  return holdsRows && input.family.withDescendants(key.refTable).some((oid) => byOid.get(oid)?.kind === "r" && !input.selected.has(oid));
}

/** CREATE INDEX takes SHARE, which goes along with itself; everything else keeps the table to itself (manual 13.3, table 13.2). */
function locksFor(place: Place, family: Families): NodeLock[] {
  if (place.entry.type === "INDEX" && !/^ALTER TABLE/m.test(place.entry.sql)) return [{ key: place.table, exclusive: false }];
  const tables = place.foreignKey ? [place.table, place.foreignKey.refTable].flatMap((oid) => family.withDescendants(oid)) : [place.table];
  return [...new Set(tables)].map((key) => ({ key, exclusive: true }));
}

/** All attachments of one partitioned index's tree go together, in pg_dump's order, once every index of the tree is there. */
function attachTasks(input: BuildInput, places: readonly Place[]): Array<{ task: StatementsTask; indexes: number[] }> {
  const byOid = new Map(input.indexes.map((index) => [index.oid, index]));
  const byName = groupBy(input.indexes, (index) => nameKey(index.schema, index.name));
  const rootOf = (index: IndexInfo): number => {
    const parent = index.parent === undefined ? undefined : byOid.get(index.parent);
    return parent ? rootOf(parent) : index.oid;
  };
  const members = groupBy(input.indexes, rootOf);
  const makers = new Map(places.map((place) => [place.index, `build:${place.entry.dumpId}`]));
  const groups = groupBy(input.split.attaches, (entry) => {
    const [index, ...others] = byName.get(nameKey(entry.schema, entry.name)) ?? [];
    return index && others.length === 0 ? rootOf(index) : 0;
  });
  return [...groups].map(([root, entries]) => {
    const indexes = (members.get(root) ?? []).map((index) => index.oid);
    // where two names differ only in line breaks, the attachment waits for all indexes
    const after = root === 0 ? [...makers.values()] : indexes.flatMap((oid) => makers.get(oid) ?? []);
    return {
      indexes,
      task: {
        kind: "statements",
        id: `attach:${root}`,
        object: `partitions of index ${byOid.get(root)?.name ?? ""}`.trimEnd(),
        after: [...new Set(["pre-data", ...after])],
        cost: entries.length * 1000,
        locks: [],
        entries,
      },
    };
  });
}

/** pg_dump prints names with line breaks as spaces. */
function nameKey(schema: string, name: string): string {
  return JSON.stringify([schema, name].map((part) => part.replaceAll(/[\r\n]/g, " ")));
}

/** Each waits for the indexes and constraints before it in the script, and for the postponed one before it. */
function postponedTasks(input: BuildInput, places: readonly Place[]): StatementsTask[] {
  return input.split.postponed.map((entry, i) => {
    const at = input.split.order(entry);
    const earlier = places
      .filter((place) => !place.foreignKey && input.split.order(place.entry) < at)
      .map((place) => `build:${place.entry.dumpId}`);
    const previous = input.split.postponed[i - 1];
    return {
      kind: "statements",
      id: `postponed:${entry.dumpId}`,
      object: objectName(entry),
      after: ["pre-data", ...earlier, ...(previous ? [`postponed:${previous.dumpId}`] : [])],
      cost: 1000,
      locks: [],
      entries: [entry],
    };
  });
}

/** `shop.orders orders_pkey`: pg_dump's own tag, with the schema before it. */
function objectName(entry: SchemaEntry): string {
  return entry.schema === "" ? entry.name : `${entry.schema}.${entry.name}`;
}
