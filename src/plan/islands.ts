import type { Defaults, RelationDependency } from "../catalog/relation-dependencies.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { groupBy } from "../util/group-by.ts";

/** pre-data cut so that its middle can be created over several connections. */
export interface Islands {
  /** In order, before all else. */
  first: readonly SchemaEntry[];
  /** Tables with their sequences and defaults; none of these needs another of them. */
  islands: ReadonlyArray<readonly SchemaEntry[]>;
  /** In order, after all islands: views, functions on them, attached partitions, comments. */
  rest: readonly SchemaEntry[];
}

export interface IslandInput {
  dependencies: readonly RelationDependency[];
  defaults: Defaults;
}

/** `pg_class` and `pg_attrdef`: fixed in every version (catalog/pg_class.h, catalog/pg_attrdef.h). */
const PG_CLASS = 1259;
const PG_ATTRDEF = 2604;

/**
 * Finds the tables that can be created in any order. pg_dump's order is one of many that respect the dependencies; the catalog says
 * which. A table and the sequences that belong to it, or that its defaults use, are an island and stay in pg_dump's order. One that
 * needs something that pg_dump creates among the tables (a function that takes a row type, a view's row type) is none, and waits.
 */
export function findIslands(entries: readonly SchemaEntry[], input: IslandInput): Islands {
  const start = entries.findIndex((entry) => entry.type === "TABLE");
  if (start === -1) return { first: entries, islands: [], rest: [] };
  const among = entries.slice(start);
  const byDumpId = new Map(among.map((entry) => [entry.dumpId, entry]));
  const relationOf = (entry: SchemaEntry): number | undefined => {
    if ((entry.type === "TABLE" || entry.type === "SEQUENCE") && entry.classId === PG_CLASS) return entry.oid;
    if (entry.type === "DEFAULT" && entry.classId === PG_ATTRDEF) return input.defaults.get(entry.oid);
    if (entry.type !== "SEQUENCE OWNED BY") return undefined;
    const sequence = byDumpId.get(entry.dependencies[0] ?? 0);
    return sequence?.type === "SEQUENCE" ? sequence.oid : undefined;
  };

  const members = new Map(among.flatMap((entry) => (isRelation(entry) ? [[entry.oid, entry] as const] : [])));
  // what pg_dump creates among the tables, and is no table
  const others = new Set(among.filter((entry) => !isRelation(entry)).map((entry) => `${entry.classId} ${entry.oid}`));
  const islandOf = disjointSets();
  const waiting = new Set<number>();
  for (const { relation, refClass, ref, partition } of input.dependencies) {
    if (partition && !/\b(?:ATTACH PARTITION|PARTITION OF)\b/.test(members.get(relation)?.sql ?? "")) continue;
    if (refClass === PG_CLASS && members.has(ref)) islandOf.join(relation, ref);
    else if (others.has(`${refClass} ${ref}`)) waiting.add(relation);
  }
  const tied = new Set([...waiting].map(islandOf.find));

  const isFree = (entry: SchemaEntry): boolean => {
    const relation = relationOf(entry);
    return relation !== undefined && members.has(relation) && !tied.has(islandOf.find(relation));
  };
  const free = among.filter(isFree);
  const islands = groupBy(free, (entry) => islandOf.find(relationOf(entry) ?? 0));
  return { first: entries.slice(0, start), islands: [...islands.values()], rest: among.filter((entry) => !isFree(entry)) };
}

function isRelation(entry: SchemaEntry): boolean {
  return (entry.type === "TABLE" || entry.type === "SEQUENCE") && entry.classId === PG_CLASS;
}

/** Sets of numbers that grow together. */
function disjointSets(): { find: (one: number) => number; join: (one: number, other: number) => void } {
  const parents = new Map<number, number>();
  const find = (one: number): number => {
    const parent = parents.get(one) ?? one;
    if (parent === one) return one;
    const root = find(parent);
    parents.set(one, root);
    return root;
  };
  return {
    find,
    join: (one, other) => {
      parents.set(find(one), find(other));
    },
  };
}
