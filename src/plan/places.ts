import type { ConstraintInfo, IndexInfo } from "../catalog/relations.ts";
import type { NodeLock } from "../scheduler/graph.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import type { Families } from "./family.ts";

/** What an index or constraint of the script is about, by the catalog. */
export interface Place {
  entry: SchemaEntry;
  table: number;
  /** The index it makes. */
  index: IndexInfo | undefined;
  /** Its own entry in pg_constraint; none for a plain index. */
  constraint: ConstraintInfo | undefined;
  foreignKey: ConstraintInfo | undefined;
}

interface PlaceInput {
  indexes: readonly IndexInfo[];
  constraints: readonly ConstraintInfo[];
}

export function placeBuilds(entries: readonly SchemaEntry[], input: PlaceInput): Place[] {
  const constraints = new Map(input.constraints.map((constraint) => [constraint.oid, constraint]));
  const indexes = new Map(input.indexes.map((index) => [index.oid, index]));
  return entries.map((entry) => {
    const constraint = entry.type === "INDEX" ? undefined : constraints.get(entry.oid);
    const index = indexes.get(entry.type === "INDEX" ? entry.oid : (constraint?.index ?? 0));
    return {
      entry,
      table: constraint?.table ?? index?.table ?? 0,
      index,
      constraint,
      foreignKey: constraint?.type === "f" ? constraint : undefined,
    };
  });
}

/** The id of the task that runs the entry. */
export function buildId(entry: SchemaEntry): string {
  return `build:${entry.dumpId}`;
}

/** The id of the task that makes the index of a key, where the key takes it over in a second step. */
export function keyIndexId(entry: SchemaEntry): string {
  return `index:${entry.dumpId}`;
}

/** The journal's key for the first of two steps; the second one has the entry's own, for then the object is whole. */
export function firstStepOf(entry: SchemaEntry): string {
  return `${entry.key}/1`;
}

/** `shop.orders orders_pkey`: pg_dump's own tag, with the schema before it. */
export function objectName(entry: SchemaEntry): string {
  return entry.schema === "" ? entry.name : `${entry.schema}.${entry.name}`;
}

/** CREATE INDEX takes SHARE, which goes along with itself; everything else keeps the table to itself (manual 13.3, table 13.2). */
export function locksFor(place: Place, family: Families): NodeLock[] {
  if (place.entry.type === "INDEX" && !/^ALTER TABLE/m.test(place.entry.sql)) return [{ key: place.table, exclusive: false }];
  const tables = place.foreignKey ? [place.table, place.foreignKey.refTable].flatMap((oid) => family.withDescendants(oid)) : [place.table];
  return [...new Set(tables)].map((key) => ({ key, exclusive: true }));
}

/** True for one `ALTER TABLE … ADD CONSTRAINT …;` and nothing else; a semicolon within a name makes it false, too. */
export function isPlainConstraint(entry: SchemaEntry): boolean {
  return /^(?:--[^\n]*\n|\s)*ALTER TABLE (?:ONLY )?[^;]+\bADD CONSTRAINT [^;]+;\s*$/.test(entry.sql);
}
