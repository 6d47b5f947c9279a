import { displayName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/** Materialized views that read any of these tables, through whatever other views. */
export async function readStaleViews(session: Session, tables: readonly number[]): Promise<string[]> {
  const rows = await session.query<{ schema: string; name: string }>(
    `
WITH RECURSIVE reads AS (
  SELECT DISTINCT w.ev_class AS view, d.refobjid AS relation FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
  WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> w.ev_class
), touched AS (
  SELECT pg_catalog.unnest($1::pg_catalog.oid[]) AS oid
  UNION SELECT r.view FROM reads r JOIN touched t ON t.oid = r.relation
)
SELECT n.nspname AS schema, c.relname AS name FROM touched t JOIN pg_catalog.pg_class c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated ORDER BY 1, 2`,
    [tables],
  );
  return rows.map(({ schema, name }) => displayName(schema, name));
}
