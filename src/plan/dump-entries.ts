import type { TableInfo } from "../catalog/tables.ts";
import { displayName } from "../postgres/quote.ts";
import { groupBy, inSlices } from "../util/group-by.ts";
import { plural } from "../util/format.ts";
import { LARGE_TABLE } from "./copies.ts";
import type { Copy, DumpEntry } from "./task.ts";

/**
 * With more trees of tables than this, small ones share entries: each pg_dump reads the whole catalog, 0.1 s with 60 tables, 0.2 s with
 * 2,000 and 1 s with 10,000 (measured), so that a pg_dump for each of 10,000 tables would take three hours.
 */
const MANY = 100;
/** Tables of an entry that small ones share, at least; with thousands there are as many entries as this, each of more tables. */
const SHARED = 100;
const MOST_ENTRIES = 40;

/** The entries of a dump folder, the largest first. */
export function listEntries(copies: readonly Copy[], tables: readonly TableInfo[], format: "directory" | "custom"): DumpEntry[] {
  const suffix = format === "directory" ? "dir" : "dump";
  const trees = [...groupBy(copies, (copy) => copy.table.root)];
  const isSmall = (tree: readonly Copy[]): boolean =>
    tree.length < SHARED && bytesOf(tree) < LARGE_TABLE && tree.every((copy) => copy.table.extension === undefined);
  const small = trees.length > MANY ? trees.filter(([, tree]) => isSmall(tree)) : [];
  const among = new Set(small);
  const alone = trees.filter((tree) => !among.has(tree));
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  const entries = alone.map(([root, tree]): DumpEntry => {
    const top = byOid.get(root);
    const object = top ? displayName(top.schema, top.name) : (tree[0]?.object ?? "");
    const parts = tree.flatMap(({ table }) => table.parts ?? [table]);
    const detail = top?.kind === "p" ? `Partitioned (${plural(parts.length, "part")})` : "Standard Table";
    return { path: `${fileName(object)}-${root}.${suffix}`, object, detail, tables: oidsOf(tree), bytes: bytesOf(tree) };
  });
  const together = small.flatMap(([, tree]) => tree);
  const shared = inSlices(together, Math.max(SHARED, Math.ceil(together.length / MOST_ENTRIES))).map((slice, i): DumpEntry => ({
    path: `small-tables-${i + 1}.${suffix}`,
    object: `small tables ${i + 1}`,
    detail: `Small Tables (${slice.length})`,
    tables: oidsOf(slice),
    bytes: bytesOf(slice),
  }));
  return [...entries, ...shared].toSorted((a, b) => b.bytes - a.bytes);
}

function oidsOf(copies: readonly Copy[]): number[] {
  return copies.map(({ table }) => table.oid);
}

function bytesOf(copies: readonly Copy[]): number {
  return copies.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What every file system takes; the OID behind it makes it the only one of its name. */
function fileName(object: string): string {
  return object.replaceAll(/[^\w.-]+/g, "_").slice(0, 100);
}
