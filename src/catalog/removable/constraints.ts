import { quoteIdent, quoteLiteral } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { indexExtrasSql } from "./index-extras.ts";
import { addConstraintSql, dropConstraintSql, type Removable, type RemovableTable, tableSql, validateSql } from "./removable.ts";

export interface RemovableConstraint extends Removable {
  kind: "check" | "unique" | "exclusion" | "not-null";
  /** OID of the index behind it; 0 where there is none. */
  index: number;
}

const KINDS = { c: "check", u: "unique", x: "exclusion", n: "not-null" } as const;

interface Row {
  oid: number;
  schema: string;
  table: string;
  name: string;
  type: keyof typeof KINDS;
  index: number;
  validated: boolean;
  definition: string;
  comment: string | null;
  extras: string | null;
  tablespace: string;
}

/**
 * CHECK, UNIQUE, EXCLUDE and NOT NULL of these tables, as far as they are the tables' own: what comes from a parent goes with the parent's.
 * Not those that something else rests on for good: columns of primary keys and identity columns are NOT NULL by themselves, and a replica
 * identity stays.
 */
export async function readConstraintsOf(session: Session, tables: ReadonlySet<number>): Promise<RemovableConstraint[]> {
  const rows = await session.query<Row>(
    `
SELECT t.oid, n.nspname AS schema, t.relname AS table, c.conname AS name, c.contype::text AS type, c.conindid AS index,
  c.convalidated AS validated, pg_catalog.pg_get_constraintdef(c.oid) AS definition,
  pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment, ${indexExtrasSql(session, "c.conindid")} AS extras,
  COALESCE((SELECT s.spcname FROM pg_catalog.pg_class i JOIN pg_catalog.pg_tablespace s ON s.oid = i.reltablespace WHERE i.oid = c.conindid), '') AS tablespace
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE c.conrelid = ANY ($1::pg_catalog.oid[]) AND c.contype IN ('c', 'u', 'x', 'n') AND c.conislocal AND c.coninhcount = 0 AND c.conparentid = 0
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indexrelid = c.conindid AND i.indisreplident)
  AND (c.contype <> 'n' OR ${notNullByItself("c.conrelid", "c.conkey[1]")})
ORDER BY 2, 3, c.conname`,
    [[...tables]],
  );
  const named = rows.map((row): RemovableConstraint => {
    const table: RemovableTable = { oid: row.oid, schema: row.schema, name: row.table };
    const inTwoSteps = row.validated && (row.type === "c" || row.type === "n");
    const add = addConstraintSql(table, row.name, inTwoSteps ? `${row.definition} NOT VALID` : row.definition, row.comment);
    const place = row.index === 0 ? "" : `SET LOCAL default_tablespace = ${quoteLiteral(row.tablespace)}; `;
    return {
      kind: KINDS[row.type],
      table,
      name: row.name,
      index: row.index,
      takeOff: dropConstraintSql(table, row.name),
      putBack: [`${place}${add}`, ...(row.extras === null ? [] : [row.extras])].join("; "),
      validate: inTwoSteps ? validateSql(table, row.name) : undefined,
    };
  });
  return session.serverVersion >= 180_000 ? named : [...named, ...(await readNamelessNotNulls(session, tables))];
}

/** Before PostgreSQL 18 NOT NULL is a property of the column, without a name. */
async function readNamelessNotNulls(session: Session, tables: ReadonlySet<number>): Promise<RemovableConstraint[]> {
  const rows = await session.query<{ oid: number; schema: string; table: string; name: string }>(
    `
SELECT t.oid, n.nspname AS schema, t.relname AS table, a.attname AS name
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND a.attinhcount = 0
  AND ${notNullByItself("a.attrelid", "a.attnum")}
ORDER BY 2, 3, a.attnum`,
    [[...tables]],
  );
  return rows.map(({ oid, schema, table: of, name }) => {
    const table: RemovableTable = { oid, schema, name: of };
    const column = `ALTER TABLE ${tableSql(table)} ALTER COLUMN ${quoteIdent(name)}`;
    return {
      kind: "not-null",
      table,
      name,
      index: 0,
      takeOff: `${column} DROP NOT NULL`,
      putBack: `${column} SET NOT NULL`,
      validate: undefined,
    };
  });
}

/** Nothing else asks for it: no primary key, replica identity or identity column, neither here nor in a table that inherits the column. */
function notNullByItself(table: string, column: string): string {
  return `NOT EXISTS (
    WITH RECURSIVE family AS (SELECT ${table} AS oid UNION SELECT h.inhrelid FROM family JOIN pg_catalog.pg_inherits h ON h.inhparent = family.oid)
    SELECT FROM family
    JOIN pg_catalog.pg_attribute y ON y.attrelid = ${table} AND y.attnum = ${column}
    JOIN pg_catalog.pg_attribute x ON x.attrelid = family.oid AND x.attname = y.attname
    WHERE x.attidentity <> '' OR EXISTS (SELECT FROM pg_catalog.pg_index i
      WHERE i.indrelid = family.oid AND (i.indisprimary OR i.indisreplident) AND x.attnum = ANY (i.indkey)))`;
}
