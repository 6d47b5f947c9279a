import { quoteLiteral, quoteQualified } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { indexExtrasSql } from "./index-extras.ts";
import type { Removable } from "./removable.ts";

interface Row {
  index: number;
  oid: number;
  schema: string;
  table: string;
  name: string;
  definition: string;
  extras: string | null;
  tablespace: string;
}

/**
 * Indexes of these tables that nothing rests on: behind no constraint, no replica identity, not bound to an extension, no part of a
 * partitioned table's index (its partitions' have names and places of their own, which one CREATE INDEX would not bring back).
 */
export async function readSecondaryIndexes(
  session: Session,
  tables: ReadonlySet<number>,
): Promise<Array<Removable & { kind: "index"; index: number }>> {
  const rows = await session.query<Row>(
    `
SELECT t.oid, n.nspname AS schema, t.relname AS table, c.relname AS name, c.oid AS index, pg_catalog.pg_get_indexdef(c.oid) AS definition,
  ${indexExtrasSql(session, "c.oid")} AS extras,
  COALESCE((SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = c.reltablespace), '') AS tablespace
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE i.indrelid = ANY ($1::pg_catalog.oid[]) AND c.relkind = 'i' AND i.indisvalid AND NOT i.indisreplident
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype IN ('x', 'e'))
ORDER BY 2, 3, c.relname`,
    [[...tables]],
  );
  return rows.map((row) => ({
    kind: "index",
    index: row.index,
    table: { oid: row.oid, schema: row.schema, name: row.table },
    name: row.name,
    takeOff: `DROP INDEX ${quoteQualified(row.schema, row.name)}`,
    // pg_get_indexdef leaves the tablespace out
    putBack: [
      `SET LOCAL default_tablespace = ${quoteLiteral(row.tablespace)}; ${row.definition}`,
      ...(row.extras === null ? [] : [row.extras]),
    ].join("; "),
    validate: undefined,
  }));
}
