import type { Session } from "../../postgres/session.ts";
import { addConstraintSql, dropConstraintSql, type Removable, type RemovableTable, validateSql } from "./removable.ts";

export interface RemovableForeignKey extends Removable {
  kind: "foreign-key";
  /** OID of the constraint. */
  constraint: number;
  /** OID of the table that it refers to. */
  refTable: number;
  /** OID of the unique index that it rests on. */
  refIndex: number;
}

interface Row {
  constraint: number;
  oid: number;
  schema: string;
  table: string;
  kind: string;
  name: string;
  ref: number;
  index: number;
  validated: boolean;
  definition: string;
  comment: string | null;
}

/**
 * Every foreign key from or to these tables, from tables outside of them too. Of a partitioned table's it is the one at the top: those of
 * its partitions come and go with it.
 */
export async function readForeignKeys(session: Session, tables: ReadonlySet<number>): Promise<RemovableForeignKey[]> {
  const rows = await session.query<Row>(
    `
WITH RECURSIVE up AS (
  SELECT oid, conparentid FROM pg_catalog.pg_constraint
  WHERE contype = 'f' AND (conrelid = ANY ($1::pg_catalog.oid[]) OR confrelid = ANY ($1::pg_catalog.oid[]))
  UNION SELECT c.oid, c.conparentid FROM up JOIN pg_catalog.pg_constraint c ON c.oid = up.conparentid
)
SELECT c.oid AS constraint, t.oid, n.nspname AS schema, t.relname AS table, t.relkind::text AS kind, c.conname AS name, c.confrelid AS ref, c.conindid AS index,
  c.convalidated AS validated, pg_catalog.pg_get_constraintdef(c.oid) AS definition,
  pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE c.oid IN (SELECT oid FROM up WHERE conparentid = 0)
ORDER BY n.nspname, t.relname, c.conname`,
    [[...tables]],
  );
  return rows.map((row) => {
    const table: RemovableTable = { oid: row.oid, schema: row.schema, name: row.table };
    // a partitioned table cannot have it NOT VALID before PostgreSQL 18: there it is proven while it is added
    const inTwoSteps = row.validated && (row.kind !== "p" || session.serverVersion >= 180_000);
    return {
      kind: "foreign-key",
      constraint: row.constraint,
      table,
      name: row.name,
      refTable: row.ref,
      refIndex: row.index,
      takeOff: dropConstraintSql(table, row.name),
      putBack: addConstraintSql(table, row.name, inTwoSteps ? `${row.definition} NOT VALID` : row.definition, row.comment),
      validate: inTwoSteps ? validateSql(table, row.name) : undefined,
    };
  });
}
