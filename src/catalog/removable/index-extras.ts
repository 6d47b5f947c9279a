import type { Session } from "../../postgres/session.ts";

/**
 * SQL of an expression: the statements, joined by `; `, that give an index what its definition does not say: its comment, CLUSTER ON,
 * statistics targets of its columns. NULL where there is nothing.
 */
export function indexExtrasSql(session: Session, index: string): string {
  const name = "pg_catalog.format('%I.%I', xn.nspname, xc.relname)";
  const target = session.serverVersion >= 170_000 ? "xa.attstattarget IS NOT NULL" : "xa.attstattarget >= 0";
  return `(SELECT NULLIF(pg_catalog.concat_ws('; ',
    (SELECT pg_catalog.string_agg(pg_catalog.format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', ${name}, xa.attnum, xa.attstattarget), '; ')
      FROM pg_catalog.pg_attribute xa WHERE xa.attrelid = xc.oid AND xa.attnum > 0 AND ${target}),
    CASE WHEN xi.indisclustered THEN pg_catalog.format('ALTER TABLE %I.%I CLUSTER ON %I', xn.nspname, xt.relname, xc.relname) END,
    'COMMENT ON INDEX ' || ${name} || ' IS ' || pg_catalog.quote_literal(pg_catalog.obj_description(xc.oid, 'pg_class'))), '')
  FROM pg_catalog.pg_index xi
  JOIN pg_catalog.pg_class xc ON xc.oid = xi.indexrelid
  JOIN pg_catalog.pg_class xt ON xt.oid = xi.indrelid
  JOIN pg_catalog.pg_namespace xn ON xn.oid = xc.relnamespace
  WHERE xi.indexrelid = ${index})`;
}
