import type { Session } from "../postgres/session.ts";
import type { Ends } from "./find-rows.ts";

interface Row {
  oid: number;
  table: string;
  columns: string;
}

/** By OID on the source: tables that the target has, too, and whether all their columns are there under the same name and type. */
export async function readAlikeTables(ends: Ends): Promise<ReadonlyMap<number, "same columns" | "other columns">> {
  const [there, here] = await Promise.all([readColumns(ends.source), readColumns(ends.target)]);
  const byName = new Map(here.map((row) => [row.table, row.columns]));
  return new Map(
    there
      .filter(({ table }) => byName.has(table))
      .map(({ oid, table, columns }) => [oid, byName.get(table) === columns ? "same columns" : "other columns"]),
  );
}

/** Their order means nothing. Text types of any length are one type: what they hold is compared, not what they might. */
async function readColumns(session: Session): Promise<Row[]> {
  return await session.query<Row>(`
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS table,
  COALESCE((SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, NULL)), ', ' ORDER BY a.attname COLLATE pg_catalog."C")
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '') AS columns
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_(toast|temp)'`);
}
