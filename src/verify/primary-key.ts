import type { Session } from "../postgres/session.ts";

/** The columns of a table's primary key, in its order; none where there is no such key. */
export async function readPrimaryKey(session: Session, table: number): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT a.attname AS name FROM pg_catalog.pg_index i
     CROSS JOIN pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(attnum, nth)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = $1 AND i.indisprimary AND k.nth <= i.indnkeyatts ORDER BY k.nth`,
    [table],
  );
  return rows.map((row) => row.name);
}
