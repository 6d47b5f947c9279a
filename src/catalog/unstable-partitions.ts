import type { Session } from "../postgres/session.ts";

/**
 * Partitioned tables whose rows lie in other partitions on another server: hashed by a value whose hash depends on OIDs, which is
 * an enum, or an array, row or range that may hold one (pg_dump 16 and later load such tables through their root, too).
 */
export async function readUnstablyHashed(session: Session): Promise<Set<number>> {
  const rows = await session.query<{ oid: number }>(`
SELECT DISTINCT p.partrelid AS oid FROM pg_catalog.pg_partitioned_table p JOIN pg_catalog.pg_opclass o ON o.oid = ANY (p.partclass)
-- anyenum, anyarray, record, anyrange, anymultirange
WHERE p.partstrat = 'h' AND o.opcintype IN (3500, 2277, 2249, 3831, 4537)`);
  return new Set(rows.map((row) => row.oid));
}

/** The topmost of these tables that a partition lies below; undefined: its rows stay in it. */
export function loadedThrough(
  oid: number,
  parentsOf: (oid: number) => readonly number[],
  unstable: ReadonlySet<number>,
): number | undefined {
  let found: number | undefined;
  // a partition has one parent; inheritance, which may have more, is never hashed
  for (let at = parentsOf(oid)[0]; at !== undefined; at = parentsOf(at)[0]) if (unstable.has(at)) found = at;
  return found;
}
