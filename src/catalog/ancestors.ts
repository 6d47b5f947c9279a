import type { Session } from "../postgres/session.ts";

/** The tables themselves and those that they are partitions or inheritance children of, up to the top. */
export async function readWithAncestors(session: Session, tables: ReadonlySet<number>): Promise<Set<number>> {
  const rows = await session.query<{ oid: number }>(
    `WITH RECURSIVE up AS (
       SELECT pg_catalog.unnest($1::pg_catalog.oid[]) AS oid UNION SELECT i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.oid
     ) SELECT oid FROM up`,
    [[...tables]],
  );
  return new Set(rows.map(({ oid }) => oid));
}
