import type { Session } from "../postgres/session.ts";
import { displayName } from "../postgres/quote.ts";
import { USER_SCHEMA } from "./tables.ts";

/** What the database needs of a server beyond itself. */
export interface Requirements {
  extensions: ReadonlyArray<{ name: string; version: string }>;
  /** Roles that own or are granted something, or that policies and user mappings name; the bootstrap superuser is not listed. */
  roles: readonly string[];
  tablespaces: readonly string[];
  /** Name of the bootstrap superuser, which PostgreSQL leaves out of its dependency records. */
  bootstrapRole: string;
}

export async function readRequirements(session: Session): Promise<Requirements> {
  const extensions = await session.query<{ name: string; version: string }>(
    // plpgsql comes with every template0
    "SELECT extname AS name, extversion AS version FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY 1",
  );
  const roles = await session.query<{ name: string }>(`
SELECT DISTINCT pg_catalog.pg_get_userbyid(d.refobjid) AS name FROM pg_catalog.pg_shdepend d
WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass
  AND (d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    OR (d.dbid = 0 AND d.classid = 'pg_catalog.pg_database'::regclass
      AND d.objid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))
  -- an extension's own objects get their privileges from its script on the target
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
    WHERE e.deptype = 'e' AND e.classid = d.classid AND e.objid = d.objid AND d.deptype IN ('o', 'i'))
ORDER BY 1`);
  const tablespaces = await session.query<{ name: string }>(`
SELECT DISTINCT t.spcname AS name FROM pg_catalog.pg_tablespace t
WHERE t.spcname <> 'pg_default' AND (
  t.oid IN (SELECT c.reltablespace FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${USER_SCHEMA})
  OR t.oid = (SELECT dattablespace FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
ORDER BY 1`);
  const [bootstrap] = await session.query<{ name: string }>("SELECT pg_catalog.pg_get_userbyid(10) AS name");
  return {
    extensions,
    roles: roles.map((row) => row.name),
    tablespaces: tablespaces.map((row) => row.name),
    bootstrapRole: bootstrap?.name ?? "",
  };
}

/** What the source's role may not read, and what row-level security would hide from it: display names. */
export interface Unreadable {
  schemas: readonly string[];
  tables: readonly string[];
  sequences: readonly string[];
  rowSecurity: readonly string[];
  largeObjects: number;
}

export async function readUnreadable(session: Session): Promise<Unreadable> {
  const rows = await session.query<{ what: "schema" | "table" | "sequence" | "rls"; schema: string; name: string }>(`
WITH me AS (SELECT oid, rolsuper OR rolbypassrls AS bypass FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER),
rel AS (
  SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE ${USER_SCHEMA} AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'S')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' AND NOT (c.oid = ANY (COALESCE(e.extconfig, '{}')))))
SELECT DISTINCT 'schema' AS what, nspname AS schema, nspname AS name FROM rel WHERE NOT pg_catalog.has_schema_privilege(relnamespace, 'USAGE')
UNION ALL
SELECT CASE WHEN relkind = 'S' THEN 'sequence' ELSE 'table' END, nspname, relname FROM rel WHERE NOT pg_catalog.has_table_privilege(oid, 'SELECT')
UNION ALL
SELECT 'rls', nspname, relname FROM rel, me
WHERE relrowsecurity AND NOT me.bypass AND (relforcerowsecurity OR NOT pg_catalog.pg_has_role(me.oid, relowner, 'USAGE'))
ORDER BY 1, 2, 3`);
  const named = (what: string): string[] =>
    rows.filter((row) => row.what === what).map((row) => (what === "schema" ? row.name : displayName(row.schema, row.name)));
  return {
    schemas: named("schema"),
    tables: named("table"),
    sequences: named("sequence"),
    rowSecurity: named("rls"),
    largeObjects: await countUnreadableLargeObjects(session),
  };
}

async function countUnreadableLargeObjects(session: Session): Promise<number> {
  const [row] = await session.query<{ n: number }>(`
SELECT count(*)::int AS n FROM pg_catalog.pg_largeobject_metadata m
WHERE NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER)
  AND pg_catalog.current_setting('lo_compat_privileges') = 'off'
  AND NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) a
    WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))`);
  return row?.n ?? 0;
}
