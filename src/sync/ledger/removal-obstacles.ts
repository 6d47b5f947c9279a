import type { Removable } from "../../catalog/removable/removable.ts";
import type { Obstacle } from "../../errors.ts";
import { displayIdent, displayName, quoteIdent, quoteQualified } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";

/** Of what is taken off: the table that a foreign key leads to, and the index of an index or a unique or exclusion constraint. */
type Taken = Removable & { refTable?: number; index?: number };

/** What the role lacks for taking these off: ownership of the tables and of what inherits from them; or for putting them back. */
export async function removalObstacles(session: Session, removables: readonly Taken[]): Promise<Obstacle[]> {
  const role = displayIdent(session.config.user);
  const foreign = await readForeign(
    session,
    removables.map(({ table }) => table.oid),
  );
  return [
    ...foreign.map(({ schema, name, owner }): Obstacle => ({
      code: "not-table-owner",
      side: "target",
      message: `Role ${role} does not own the table ${displayName(schema, name)}, ${displayIdent(owner)} does.`,
      fix: `GRANT ${quoteIdent(owner)} TO ${quoteIdent(session.config.user)}; or connect as ${displayIdent(owner)}, or leave the table out with --exclude-table.`,
    })),
    ...(await puttingBackObstacles(session, removables)),
  ];
}

/** What could be taken off, and then, worse, not be put back: CREATE is wanted where an index is made, REFERENCES where a foreign key leads. */
export async function puttingBackObstacles(session: Session, removables: readonly Taken[]): Promise<Obstacle[]> {
  const role = displayIdent(session.config.user);
  const obstacles: Obstacle[] = [];
  const add = (code: string, message: string, fix: string): void => void obstacles.push({ code, side: "target", message, fix });

  const indexed = removables.filter(({ kind, index }) => kind === "index" || (index ?? 0) !== 0);
  for (const { schema } of await readClosedSchemas(
    session,
    indexed.map(({ table }) => table.oid),
  ))
    add(
      "no-create",
      `Role ${role} may not create objects in the schema ${displayIdent(schema)}: an index that was taken off could not be put back.`,
      `GRANT CREATE ON SCHEMA ${quoteIdent(schema)} TO ${quoteIdent(session.config.user)};`,
    );
  for (const { name } of await readClosedTablespaces(
    session,
    indexed.map(({ index }) => index ?? 0),
  ))
    add(
      "no-tablespace",
      `Role ${role} may not create objects in the tablespace ${displayIdent(name)}: an index that was taken off could not be put back.`,
      `GRANT CREATE ON TABLESPACE ${quoteIdent(name)} TO ${quoteIdent(session.config.user)};`,
    );

  for (const { schema, name } of await readUnreferable(
    session,
    removables.map(({ refTable }) => refTable ?? 0),
  ))
    add(
      "no-references",
      `Role ${role} may not refer to the table ${displayName(schema, name)}: a foreign key that was taken off could not be put back.`,
      `GRANT REFERENCES ON ${quoteQualified(schema, name)} TO ${quoteIdent(session.config.user)};`,
    );
  return obstacles;
}

async function readForeign(session: Session, tables: readonly number[]): Promise<Array<{ schema: string; name: string; owner: string }>> {
  return session.query(
    `WITH RECURSIVE family AS (
       SELECT pg_catalog.unnest($1::pg_catalog.oid[]) AS oid UNION SELECT h.inhrelid FROM family JOIN pg_catalog.pg_inherits h ON h.inhparent = family.oid)
     SELECT n.nspname AS schema, c.relname AS name, pg_catalog.pg_get_userbyid(c.relowner) AS owner
     FROM family JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY 1, 2`,
    [tables],
  );
}

async function readClosedSchemas(session: Session, tables: readonly number[]): Promise<Array<{ schema: string }>> {
  return session.query(
    `SELECT DISTINCT n.nspname AS schema FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') ORDER BY 1`,
    [tables],
  );
}

async function readClosedTablespaces(session: Session, indexes: readonly number[]): Promise<Array<{ name: string }>> {
  return session.query(
    `SELECT DISTINCT s.spcname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
     WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND NOT pg_catalog.has_tablespace_privilege(s.oid, 'CREATE') ORDER BY 1`,
    [indexes],
  );
}

/** By table or by column, as ADD FOREIGN KEY asks (manual, "GRANT", REFERENCES). */
async function readUnreferable(session: Session, tables: readonly number[]): Promise<Array<{ schema: string; name: string }>> {
  return session.query(
    `SELECT DISTINCT n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (
       pg_catalog.has_table_privilege(c.oid, 'REFERENCES') OR NOT EXISTS (
         SELECT FROM pg_catalog.pg_constraint k, pg_catalog.unnest(k.confkey) AS a
         WHERE k.confrelid = c.oid AND k.contype = 'f' AND NOT pg_catalog.has_column_privilege(c.oid, a, 'REFERENCES')))) ORDER BY 1, 2`,
    [tables],
  );
}
