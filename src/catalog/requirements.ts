import { FIRST_NORMAL_OID } from "../postgres/first-normal-oid.ts";
import type { Session } from "../postgres/session.ts";
import { displayIdent, displayName } from "../postgres/quote.ts";
import { USER_SCHEMA } from "./tables.ts";

/** What the database needs of a server beyond itself. */
export interface Requirements {
  extensions: ReadonlyArray<{ name: string; version: string }>;
  roles: readonly RequiredRole[];
  tablespaces: readonly string[];
  /** Kinds of objects that only a superuser may create, with their number: `2 event triggers`. */
  superuserOnly: readonly string[];
}

interface RequiredRole {
  name: string;
  owns: boolean;
  granted: boolean;
  /** A policy or an `ALTER ROLE … IN DATABASE` names it, which nothing leaves out. */
  named: boolean;
}

export async function readRequirements(session: Session): Promise<Requirements> {
  const extensions = await session.query<{ name: string; version: string }>(
    // plpgsql comes with every template0
    "SELECT extname AS name, extversion AS version FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY 1",
  );
  const roles = await session.query<RequiredRole>(ROLES);
  const tablespaces = await session.query<{ name: string }>(`
SELECT DISTINCT t.spcname AS name FROM pg_catalog.pg_tablespace t
WHERE t.spcname <> 'pg_default' AND (
  t.oid IN (SELECT c.reltablespace FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${USER_SCHEMA})
  OR t.oid = (SELECT dattablespace FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
ORDER BY 1`);
  return { extensions, roles, tablespaces: tablespaces.map((row) => row.name), superuserOnly: await readSuperuserOnly(session) };
}

const THIS_DATABASE = "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";

/**
 * From the shared dependencies, which leave out the bootstrap superuser (OID 10, pinned): what that one owns is looked for in the
 * catalogs. An extension's own objects get owner and privileges from its script on the target.
 */
const ROLES = `
SELECT pg_catalog.pg_get_userbyid(role) AS name, bool_or(kind = 'o') AS owns, bool_or(kind = 'a') AS granted, bool_or(kind = 'r') AS named
FROM (
  SELECT d.refobjid AS role, CASE WHEN d.deptype IN ('o', 'a') THEN d.deptype ELSE 'r' END AS kind
  FROM pg_catalog.pg_shdepend d
  WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass
    AND (d.dbid = ${THIS_DATABASE} OR (d.dbid = 0 AND d.classid = 'pg_catalog.pg_database'::regclass AND d.objid = ${THIS_DATABASE}))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = d.classid AND e.objid = d.objid)
  UNION ALL SELECT setrole, 'r' FROM pg_catalog.pg_db_role_setting WHERE setdatabase = ${THIS_DATABASE} AND setrole <> 0
  UNION ALL SELECT 10::pg_catalog.oid, 'o' WHERE
    EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relowner = 10 AND ${USER_SCHEMA} AND c.oid >= ${FIRST_NORMAL_OID}
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid))
    OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.proowner = 10 AND p.oid >= ${FIRST_NORMAL_OID}
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid))
    OR EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspowner = 10 AND oid >= ${FIRST_NORMAL_OID})
    OR EXISTS (SELECT FROM pg_catalog.pg_database WHERE datdba = 10 AND datname = pg_catalog.current_database())
) needed
-- predefined roles (pg_read_all_data) come with the server; ASCII only: this is sent to databases in any encoding
WHERE pg_catalog.pg_get_userbyid(role) !~ '^pg_'
GROUP BY role ORDER BY 1`;

/** Kinds of objects that only a superuser may create (manual: CREATE EVENT TRIGGER, CREATE PUBLICATION, CREATE FUNCTION, CREATE TYPE …). */
async function readSuperuserOnly(session: Session): Promise<string[]> {
  const free = (catalog: string, oid: string): string =>
    `NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = 'pg_catalog.${catalog}'::regclass AND e.objid = ${oid})`;
  const rows = await session.query<{ what: string; n: number }>(`
SELECT 'event trigger' AS what, count(*)::int AS n FROM pg_catalog.pg_event_trigger t WHERE ${free("pg_event_trigger", "t.oid")}
UNION ALL SELECT 'publication of all tables', count(*)::int FROM pg_catalog.pg_publication WHERE puballtables
UNION ALL SELECT 'subscription', (CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER AND rolsuper)
  -- those of all databases are in one catalog
  THEN (SELECT count(*) FROM pg_catalog.pg_subscription WHERE subdbid = ${THIS_DATABASE}) ELSE 0 END)::int
UNION ALL SELECT 'function in an untrusted language', count(*)::int FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  -- an aggregate is "internal", and everybody may create one
  WHERE NOT l.lanpltrusted AND p.prokind <> 'a' AND ${USER_SCHEMA} AND ${free("pg_proc", "p.oid")}
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i WHERE i.classid = 'pg_catalog.pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')
UNION ALL SELECT 'base type', count(*)::int FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype = 'b' AND NOT (t.typelem <> 0 AND t.typlen = -1) AND ${USER_SCHEMA} AND ${free("pg_type", "t.oid")}
UNION ALL SELECT 'foreign-data wrapper', count(*)::int FROM pg_catalog.pg_foreign_data_wrapper w WHERE ${free("pg_foreign_data_wrapper", "w.oid")}`);
  return rows.filter((row) => row.n > 0).map((row) => `${row.n} ${row.what}${row.n === 1 ? "" : "s"}`);
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
    rows.filter((row) => row.what === what).map((row) => (what === "schema" ? displayIdent(row.name) : displayName(row.schema, row.name)));
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

/** Kinds of things that pg_dump leaves out, with a word on standard error at most, when the source's role is not a superuser. */
export async function readUnseen(session: Session): Promise<string[]> {
  const rows = await session.query<{ what: string; n: number }>(`
SELECT 'subscription' AS what, count(*)::int AS n FROM pg_catalog.pg_subscription s WHERE s.subdbid = ${THIS_DATABASE}
UNION ALL SELECT 'user mapping (its options)', count(*)::int FROM pg_catalog.pg_user_mappings m JOIN pg_catalog.pg_foreign_server v ON v.oid = m.srvid
  WHERE NOT ((m.umuser <> 0 AND m.usename = CURRENT_USER AND (pg_catalog.pg_has_role(v.srvowner, 'USAGE') OR pg_catalog.has_server_privilege(v.oid, 'USAGE')))
    OR (m.umuser = 0 AND pg_catalog.pg_has_role(v.srvowner, 'USAGE')))`);
  const [me] = await session.query<{ superuser: boolean }>(
    "SELECT rolsuper AS superuser FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER",
  );
  if (me?.superuser === true) return [];
  return rows.filter((row) => row.n > 0).map((row) => `${row.n} × ${row.what}`);
}
