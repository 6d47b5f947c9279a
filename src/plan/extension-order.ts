import type { ConstraintInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";

/**
 * The tables whose rows have to be in before a table's own. Only configuration tables of extensions have any: CREATE EXTENSION
 * makes their foreign keys along with them, before the rows (PostGIS: `topology.layer` refers to `topology.topology`). Keys
 * that go round in a circle are cut at the one that closes it.
 */
export function tablesBefore(tables: readonly TableInfo[], constraints: readonly ConstraintInfo[]): ReadonlyMap<number, readonly number[]> {
  const ofExtension = new Set(tables.filter((table) => table.extension !== undefined).map((table) => table.oid));
  const before = new Map<number, number[]>();
  const reaches = (from: number, to: number): boolean => from === to || (before.get(from) ?? []).some((oid) => reaches(oid, to));
  for (const { type, table, refTable } of constraints) {
    if (type !== "f" || !ofExtension.has(table) || !ofExtension.has(refTable) || reaches(refTable, table)) continue;
    before.set(table, [...(before.get(table) ?? []), refTable]);
  }
  return before;
}
