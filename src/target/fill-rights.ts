import { displayIdent, displayName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/** What the role may do with a table whose rows it is to replace. */
export interface FillRights {
  oid: number;
  name: string;
  owner: string;
  /** It has the rights of the owner, or is superuser. */
  owns: boolean;
  /** Of the table's schema: the role may not even look into it. */
  closedSchema: string | undefined;
  /** Of those asked for, the privileges that the role lacks. */
  lacks: readonly string[];
  /** Row level security hides rows from the role, which is not the owner. */
  hidesRows: boolean;
}

export async function readFillRights(session: Session, tables: readonly number[], privileges: readonly string[]): Promise<FillRights[]> {
  const rows = await session.query<{
    oid: number;
    schema: string;
    name: string;
    owner: string;
    owns: boolean;
    usage: boolean;
    lacks: string[];
    hides: boolean;
  }>(
    `
SELECT c.oid, n.nspname AS schema, c.relname AS name, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
  pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owns, pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS usage,
  ARRAY(SELECT p FROM pg_catalog.unnest($2::pg_catalog.text[]) AS p WHERE NOT pg_catalog.has_table_privilege(c.oid, p)) AS lacks,
  c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') AS hides
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.pg_roles r
WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND r.rolname = CURRENT_USER ORDER BY 2, 3`,
    [tables, privileges],
  );
  return rows.map(({ oid, schema, name, owner, owns, usage, lacks, hides }) => ({
    oid,
    name: displayName(schema, name),
    owner: displayIdent(owner),
    owns,
    closedSchema: usage ? undefined : displayIdent(schema),
    lacks,
    hidesRows: hides,
  }));
}

/** For a session that `mayBeReplica`. */
export const AS_REPLICA = "SET session_replication_role = replica";

/** Triggers and foreign keys stay quiet in a session that says it is a replica's; not every role may say so (manual 20.11.1). */
export async function mayBeReplica(session: Session): Promise<boolean> {
  const may = session.serverVersion >= 150_000 ? "OR pg_catalog.has_parameter_privilege('session_replication_role', 'SET')" : "";
  const [row] = await session.query<{ may: boolean }>(
    `SELECT rolsuper ${may} AS may FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER`,
  );
  return row?.may === true;
}
