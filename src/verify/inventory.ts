import { USER_SCHEMA } from "../catalog/tables.ts";
import type { Session } from "../postgres/session.ts";

/** One object as both servers should show it. */
export interface InventoryItem {
  kind: string;
  object: string;
  /** What must be the same: valid, enabled, deferrable, populated. */
  state: string;
  /** Of a constraint on the server it was read from; 0 for other kinds. */
  oid: number;
}

/** Not a part of an extension: those are the extension's own business and may differ with its version. */
const notOfExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.${catalog}'::regclass AND x.objid = ${oid} AND x.deptype = 'e')`;

const CONSTRAINT_STATE =
  "pg_catalog.concat_ws(' ', CASE WHEN c.convalidated THEN 'valid' ELSE 'NOT VALID' END, CASE WHEN c.condeferrable THEN 'deferrable' END, CASE WHEN c.condeferred THEN 'deferred' END)";

/**
 * Every object that can be lost or left in another state, by name: relations, constraints, indexes' validity, triggers with their
 * enabled state, rules, policies, functions, types, schemas, extensions, publications, event triggers, statistics.
 */
const INVENTORY = `
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence'
    WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'composite type' END AS kind,
  pg_catalog.format('%I.%I', n.nspname, c.relname) AS object,
  pg_catalog.concat_ws(' ',
    CASE WHEN c.relkind IN ('i', 'I') THEN CASE WHEN i.indisvalid AND i.indisready THEN 'valid' ELSE 'INVALID' END END,
    CASE WHEN i.indisunique THEN 'unique' END, CASE WHEN i.indisreplident THEN 'replica identity' END, CASE WHEN i.indisclustered THEN 'clustered' END,
    CASE WHEN c.relkind = 'm' THEN CASE WHEN c.relispopulated THEN 'populated' ELSE 'not populated' END END,
    CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END, CASE WHEN c.relrowsecurity THEN 'row security' END,
    CASE WHEN c.relforcerowsecurity THEN 'forced' END, CASE WHEN c.relispartition THEN 'attached' END) AS state, 0::pg_catalog.oid AS oid
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE ${USER_SCHEMA} AND c.relpersistence <> 't' AND c.relkind <> 't' AND ${notOfExtension("pg_class", "COALESCE(i.indrelid, c.oid)")}
UNION ALL
SELECT 'constraint', pg_catalog.format('%I.%I %I', n.nspname, r.relname, c.conname), ${CONSTRAINT_STATE}, c.oid
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid = c.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE ${USER_SCHEMA} AND c.contype <> 'n' AND ${notOfExtension("pg_class", "r.oid")}
  -- the pieces that PostgreSQL makes for foreign keys on partitions have names of its own
  AND NOT (c.contype = 'f' AND c.conparentid <> 0)
UNION ALL
SELECT 'trigger', pg_catalog.format('%I.%I %I', n.nspname, r.relname, t.tgname),
  CASE t.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' ELSE 'always' END, 0
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE NOT t.tgisinternal AND ${USER_SCHEMA} AND ${notOfExtension("pg_trigger", "t.oid")}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_trigger p ON p.tgrelid = h.inhparent AND p.tgname = t.tgname
    WHERE r.relispartition AND h.inhrelid = r.oid)
UNION ALL
SELECT 'rule', pg_catalog.format('%I.%I %I', n.nspname, r.relname, w.rulename), w.ev_enabled::text, 0
FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class r ON r.oid = w.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE ${USER_SCHEMA} AND ${notOfExtension("pg_class", "r.oid")}
UNION ALL
SELECT 'policy', pg_catalog.format('%I.%I %I', n.nspname, r.relname, p.polname), p.polcmd::text, 0
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class r ON r.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
UNION ALL
SELECT 'function', pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)), p.prokind::text, 0
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE ${USER_SCHEMA} AND ${notOfExtension("pg_proc", "p.oid")}
  -- made along with a range type, and not the same in every version
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'i')
UNION ALL
SELECT 'type', pg_catalog.format('%I.%I', n.nspname, t.typname), t.typtype::text, 0
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE ${USER_SCHEMA} AND t.typtype IN ('d', 'e', 'r') AND ${notOfExtension("pg_type", "t.oid")}
UNION ALL
SELECT 'schema', pg_catalog.quote_ident(n.nspname), '', 0 FROM pg_catalog.pg_namespace n WHERE ${USER_SCHEMA} AND ${notOfExtension("pg_namespace", "n.oid")}
UNION ALL SELECT 'extension', pg_catalog.quote_ident(extname), '', 0 FROM pg_catalog.pg_extension
UNION ALL SELECT 'event trigger', pg_catalog.quote_ident(evtname), evtenabled::text, 0 FROM pg_catalog.pg_event_trigger e WHERE ${notOfExtension("pg_event_trigger", "e.oid")}
UNION ALL SELECT 'publication', pg_catalog.quote_ident(pubname), pg_catalog.concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete), 0 FROM pg_catalog.pg_publication
UNION ALL SELECT 'statistics', pg_catalog.format('%I.%I', n.nspname, s.stxname), '', 0 FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
  WHERE ${notOfExtension("pg_statistic_ext", "s.oid")}
UNION ALL SELECT 'large objects', 'all', count(*)::text, 0 FROM pg_catalog.pg_largeobject_metadata`;

export async function readInventory(session: Session, signal?: AbortSignal): Promise<InventoryItem[]> {
  return session.query<InventoryItem>(INVENTORY, [], signal);
}
