import { quoteIdent, quoteLiteral, quoteQualified } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { groupBy } from "../../util/group-by.ts";
import { indexExtrasSql } from "./index-extras.ts";
import { addConstraintSql, dropConstraintSql, type Removable, type RemovableTable, tableSql, validateSql } from "./removable.ts";

export interface RemovableConstraint extends Removable {
  kind: "check" | "unique" | "exclusion" | "not-null";
  /** OID of the constraint; 0 for a NOT NULL without a name. */
  constraint: number;
  /** OID of the index behind it; 0 where there is none. */
  index: number;
}

const KINDS = { c: "check", u: "unique", x: "exclusion", n: "not-null" } as const;

interface Row {
  /** The constraint that it belongs to: of a partitioned table or of one that it inherits from; else itself. */
  root: number;
  /** It has been written down for this table, too. */
  local: boolean;
  /** Otherwise than what it comes from. */
  named: boolean;
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
  /** Storage parameters of the index, as WITH takes them. */
  storage: string | null;
  tablespace: string;
}

/**
 * CHECK, UNIQUE, EXCLUDE and NOT NULL of these tables, as far as they are the tables' own: what comes from a parent goes with the parent's.
 * Not those that something else rests on for good: columns of primary keys and identity columns are NOT NULL by themselves, and a replica
 * identity stays; so does an exclusion constraint of a partitioned table, whose parts cannot be made first and attached (CompareIndexInfo in
 * index.c), so that they would come back under other names.
 */
export async function readConstraintsOf(session: Session, tables: ReadonlySet<number>): Promise<RemovableConstraint[]> {
  const rows = await session.query<Row>(
    `
WITH RECURSIVE links AS (
  SELECT conparentid AS parent, oid AS child, false AS named FROM pg_catalog.pg_constraint WHERE conparentid <> 0
  UNION ALL SELECT p.oid, c.oid, c.conname <> p.conname FROM pg_catalog.pg_inherits h
  JOIN pg_catalog.pg_constraint p ON p.conrelid = h.inhparent AND p.contype IN ('c', 'n')
  JOIN pg_catalog.pg_constraint c ON c.conrelid = h.inhrelid AND c.contype = p.contype AND c.coninhcount = 1
    AND CASE c.contype WHEN 'c' THEN c.conname = p.conname ELSE ${columnName("c")} = ${columnName("p")} END
), family AS (
  SELECT c.oid AS root, c.oid, 0 AS depth, false AS named FROM pg_catalog.pg_constraint c
  WHERE c.conrelid = ANY ($1::pg_catalog.oid[]) AND c.contype IN ('c', 'u', 'x', 'n') AND c.conislocal AND c.coninhcount = 0 AND c.conparentid = 0
    AND NOT (c.contype = 'x' AND EXISTS (SELECT FROM pg_catalog.pg_class x WHERE x.oid = c.conindid AND x.relkind = 'I'))
    AND (c.contype <> 'n' OR ${notNullByItself("c.conrelid", "c.conkey[1]")})
  UNION ALL SELECT f.root, l.child, f.depth + 1, l.named FROM family f JOIN links l ON l.parent = f.oid
)
SELECT f.root, f.named, c.conislocal AS local, t.oid, n.nspname AS schema, t.relname AS table, c.conname AS name, c.contype::text AS type, c.conindid AS index,
  c.convalidated AS validated, pg_catalog.pg_get_constraintdef(c.oid) AS definition,
  pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment, ${indexExtrasSql(session, "c.conindid")} AS extras,
  (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', p.option_name, p.option_value), ', ') FROM pg_catalog.pg_options_to_table(i.reloptions) p) AS storage,
  COALESCE((SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = i.reltablespace), '') AS tablespace
FROM family f
JOIN pg_catalog.pg_constraint c ON c.oid = f.oid
JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_class i ON i.oid = c.conindid
WHERE NOT EXISTS (SELECT FROM family o JOIN pg_catalog.pg_constraint k ON k.oid = o.oid
  JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND i.indisreplident WHERE o.root = f.root)
ORDER BY f.depth, n.nspname, t.relname, c.conname`,
    [[...tables]],
  );
  const named = [...groupBy(rows, (row) => row.root).values()].flatMap(([top, ...below]): RemovableConstraint[] => {
    if (!top) return [];
    const ofColumns = top.type === "c" || top.type === "n";
    const inTwoSteps = top.validated && ofColumns;
    // what has a name and a place of its own is made before its parent's, and becomes a part of that one
    const parts = below.filter((row) => !ofColumns || row.local || row.named);
    const goes = [top, ...parts.filter((row) => ofColumns && row.local)];
    return [
      {
        kind: KINDS[top.type],
        constraint: top.root,
        table: tableOf(top),
        name: top.name,
        index: top.index,
        takeOff: goes.map((row) => dropConstraintSql(tableOf(row), row.name)).join("; "),
        putBack: [top, ...parts]
          .toReversed()
          .map((row) => addSql(row, inTwoSteps))
          .join("; "),
        validate: inTwoSteps ? validateSql(tableOf(top), top.name) : undefined,
      },
    ];
  });
  return session.serverVersion >= 180_000 ? named : [...named, ...(await readNamelessNotNulls(session, tables))];
}

function tableOf({ oid, schema, table }: Row): RemovableTable {
  return { oid, schema, name: table };
}

function addSql(row: Row, inTwoSteps: boolean): string {
  const place = row.index === 0 ? "" : `SET LOCAL default_tablespace = ${quoteLiteral(row.tablespace)}; `;
  const add = addConstraintSql(tableOf(row), row.name, inTwoSteps ? `${row.definition} NOT VALID` : withStorage(row), row.comment);
  // where an exclusion constraint has them in its definition is not easily told
  const storage =
    row.type === "x" && row.storage !== null ? [`ALTER INDEX ${quoteQualified(row.schema, row.name)} SET (${row.storage})`] : [];
  return [`${place}${add}`, ...storage, ...(row.extras === null ? [] : [row.extras])].join("; ");
}

/** pg_get_constraintdef leaves storage parameters out; they stand between the columns and DEFERRABLE. */
function withStorage({ type, definition, storage }: Row): string {
  if (type !== "u" || storage === null) return definition;
  const [late = ""] = /(?: NOT)?(?: DEFERRABLE)?(?: INITIALLY (?:DEFERRED|IMMEDIATE))?$/.exec(definition) ?? [];
  return `${definition.slice(0, definition.length - late.length)} WITH (${storage})${late}`;
}

/**
 * Before PostgreSQL 18 NOT NULL is a property of the column, without a name. A partition's comes from its parent where that has it; a table that
 * inherits has one of its own.
 */
async function readNamelessNotNulls(session: Session, tables: ReadonlySet<number>): Promise<RemovableConstraint[]> {
  const rows = await session.query<{ oid: number; schema: string; table: string; name: string; partitioned: boolean }>(
    `
SELECT t.oid, n.nspname AS schema, t.relname AS table, a.attname AS name, t.relkind = 'p' AS partitioned
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
  AND NOT (t.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_attribute p ON p.attrelid = h.inhparent
    WHERE h.inhrelid = t.oid AND p.attname = a.attname AND p.attnotnull))
  AND ${notNullByItself("a.attrelid", "a.attnum")}
ORDER BY 2, 3, a.attnum`,
    [[...tables]],
  );
  return rows.map(({ oid, schema, table: of, name, partitioned }) => {
    const table: RemovableTable = { oid, schema, name: of };
    const column = `ALTER TABLE ${partitioned ? "" : "ONLY "}${tableSql(table)} ALTER COLUMN ${quoteIdent(name)}`;
    return {
      kind: "not-null",
      constraint: 0,
      table,
      name,
      index: 0,
      takeOff: `${column} DROP NOT NULL`,
      putBack: `${column} SET NOT NULL`,
      validate: undefined,
    };
  });
}

/** SQL of the name of a NOT NULL's column. */
function columnName(constraint: string): string {
  return `(SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = ${constraint}.conrelid AND attnum = ${constraint}.conkey[1])`;
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
