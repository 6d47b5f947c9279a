import type { TableInfo } from "../catalog/tables.ts";
import { groupBy } from "../util/group-by.ts";

/** The inheritance and partition trees. */
export interface Families {
  /** The table itself and everything below it. */
  withDescendants: (oid: number) => readonly number[];
  isPartitioned: (oid: number) => boolean;
}

export function families(tables: readonly TableInfo[]): Families {
  const children = groupBy(
    tables.flatMap((table) => table.parents.map((parent) => ({ parent, child: table.oid }))),
    (edge) => edge.parent,
  );
  const partitioned = new Set(tables.filter((table) => table.kind === "p").map((table) => table.oid));
  const known = new Map<number, readonly number[]>();
  const withDescendants = (oid: number): readonly number[] => {
    const cached = known.get(oid);
    if (cached) return cached;
    const found = new Set([oid]);
    for (const member of found) for (const { child } of children.get(member) ?? []) found.add(child);
    const list = [...found];
    known.set(oid, list);
    return list;
  };
  return { withDescendants, isPartitioned: (oid) => partitioned.has(oid) };
}
