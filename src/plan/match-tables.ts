import { shapeKey, type TableShape } from "../catalog/table-shapes.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { Obstacle } from "../errors.ts";
import { displayName } from "../postgres/quote.ts";
import { groupBy } from "../util/group-by.ts";

type Shapes = ReadonlyMap<string, TableShape>;

export interface MatchedTables {
  /** The source's, with what has to be loaded through another table there marked so. */
  tables: readonly TableInfo[];
  /** Tables that are partitioned otherwise on one side than on the other: all their rows on the target are replaced. */
  throughTop: readonly TableInfo[];
  obstacles: readonly Obstacle[];
}

/**
 * Which tables of the target take the rows of the source's. A partition goes to the partition of the same name where bounds and keys
 * up to the top are the same; then partitions that only the target has stay as they are. Otherwise PostgreSQL has to find each row's
 * place, and the whole tree is loaded through its top.
 */
export function matchTables(
  tables: readonly TableInfo[],
  selected: ReadonlySet<number>,
  { source, target }: { source: Shapes; target: Shapes },
): MatchedTables {
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  const trees = groupBy(
    tables.filter((table) => table.kind === "r" && table.root !== table.oid),
    (table) => table.root,
  );
  const throughTop: TableInfo[] = [];
  const obstacles: Obstacle[] = [];
  for (const [oid, leaves] of trees) {
    const top = byOid.get(oid);
    const chosen = leaves.filter((leaf) => selected.has(leaf.oid));
    const there = top && target.get(shapeKey(top));
    if (!top || !there || chosen.length === 0) continue;
    if (chosen.every((leaf) => leaf.through === undefined && samePlace(shapeKey(leaf), source, target))) continue;
    throughTop.push(top);
    if (chosen.length < leaves.length) obstacles.push(halfSelected(top));
    if (hasForeign(shapeKey(top), target)) obstacles.push(foreignPartition(top));
  }
  const tops = new Set(throughTop.map((top) => top.oid));
  const split = tables.filter((table) => table.kind === "r" && !tops.has(table.root) && target.get(shapeKey(table))?.kind === "p");
  const loaded = split.filter(({ oid }) => selected.has(oid));
  for (const table of loaded) if (hasForeign(shapeKey(table), target)) obstacles.push(foreignPartition(table));
  const whole = [...throughTop, ...loaded];
  obstacles.push(...withinObstacles(tables, whole, target));
  return {
    tables: tables.map((table) => {
      const { through: _, ...plain } = table;
      if (table.kind !== "r") return plain;
      if (tops.has(table.root)) return { ...plain, through: table.root };
      return split.includes(table) ? { ...plain, parts: [plain] } : plain;
    }),
    throughTop: whole,
    obstacles,
  };
}

/** Emptying a tree as a whole would empty what is a table of its own on the source, whether its new rows are in by then or nobody asked for them. */
function withinObstacles(tables: readonly TableInfo[], whole: readonly TableInfo[], target: Shapes): Obstacle[] {
  const tops = new Map(whole.map((table) => [shapeKey(table), table]));
  const roots = new Set(whole.map(({ oid }) => oid));
  const above = (key: string): TableInfo | undefined => {
    const parent = target.get(key)?.parent;
    return parent === undefined ? undefined : (tops.get(parent) ?? above(parent));
  };
  const within = tables
    // what goes through a top has its place in that
    .filter((table) => table.kind === "r" && !(table.root !== table.oid && roots.has(table.root)))
    .concat(whole)
    .flatMap((table) => {
      const top = above(shapeKey(table));
      return top ? [{ top, table }] : [];
    });
  return [...groupBy(within, ({ top }) => top)].map(([top, below]) => {
    const name = displayName(top.schema, top.name);
    const names = [...new Set(below.map(({ table }) => displayName(table.schema, table.name)))];
    const [are, them] = names.length === 1 ? ["is a partition", "it"] : ["are partitions", "them"];
    return {
      code: "partitions",
      side: "target",
      message: `${names.join(", ")} ${are} of ${name} on the target and not on the source: replacing all rows of ${name} would empty ${them} too.`,
      fix: `Partition ${name} the same way on both sides, or leave it out (--exclude-table ${name}).`,
    };
  });
}

function samePlace(key: string, source: Shapes, target: Shapes): boolean {
  const [there, here] = [source.get(key), target.get(key)];
  if (!there || !here || there.bound !== here.bound || there.parent !== here.parent || there.partitionedBy !== here.partitionedBy)
    return false;
  return there.parent === undefined || samePlace(there.parent, source, target);
}

function hasForeign(top: string, target: Shapes): boolean {
  return [...target].some(([key, { kind, parent }]) => parent === top && (kind === "f" || hasForeign(key, target)));
}

function halfSelected(top: TableInfo): Obstacle {
  const name = displayName(top.schema, top.name);
  return {
    code: "partitions",
    side: "target",
    message: `${name} has other partitions on the target, so that a part of its rows cannot be replaced alone.`,
    fix: `Select all of it (--table ${name}), or give the partitions the same names and bounds on both sides.`,
  };
}

function foreignPartition(top: TableInfo): Obstacle {
  const name = displayName(top.schema, top.name);
  return {
    code: "partitions",
    side: "target",
    message: `${name} has other partitions on the target, and some of them are foreign tables: emptying it would reach another server.`,
    fix: `Detach those, or leave it out (--exclude-table ${name}).`,
  };
}
