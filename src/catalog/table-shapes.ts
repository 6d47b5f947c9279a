import { groupBy } from "../util/group-by.ts";
import type { Session } from "../postgres/session.ts";
import { USER_SCHEMA } from "./tables.ts";

/** What somebody who puts rows into a relation needs to know of it. */
export interface TableShape {
  oid: number;
  schema: string;
  name: string;
  /** `pg_class.relkind`: r, p; f, v and m only take the name. */
  kind: string;
  /** The partitioned table it belongs to, as `schema.name`; its own bound there, and how it is partitioned itself. */
  parent: string | undefined;
  bound: string | undefined;
  partitionedBy: string | undefined;
  columns: readonly ColumnShape[];
}

export interface ColumnShape {
  name: string;
  /** With its length or precision, schema-qualified unless it is the server's own. */
  type: string;
  /** `pg_attribute.attgenerated`: empty, s or v. */
  generated: string;
  /** `pg_attribute.attidentity`: empty, a or d. */
  identity: string;
  /** A row can come without it: it is nullable, has a default, or makes its own values. */
  optional: boolean;
}

/** `schema.name` of a table, where names are only compared. */
export function shapeKey({ schema, name }: Pick<TableShape, "schema" | "name">): string {
  return JSON.stringify([schema, name]);
}

/** Everything that may hold a table's name, by that name. */
export async function readTableShapes(session: Session): Promise<Map<string, TableShape>> {
  const rows = await session.query<
    Omit<TableShape, "columns" | "parent" | "bound" | "partitionedBy"> & {
      parentSchema: string | null;
      parentName: string | null;
      bound: string | null;
      key: string | null;
    }
  >(RELATIONS);
  const columns = groupBy(await session.query<ColumnShape & { table: number }>(COLUMNS), (row) => row.table);
  return new Map(
    rows.map(({ parentSchema, parentName, bound, key, ...row }) => [
      shapeKey(row),
      {
        ...row,
        parent: parentSchema === null || parentName === null ? undefined : shapeKey({ schema: parentSchema, name: parentName }),
        bound: bound ?? undefined,
        partitionedBy: key ?? undefined,
        columns: columns.get(row.oid) ?? [],
      },
    ]),
  );
}

const FROM = `FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`;
const WHERE = `WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND ${USER_SCHEMA}`;

const RELATIONS = `
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, pn.nspname AS "parentSchema", p.relname AS "parentName",
  pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound, pg_catalog.pg_get_partkeydef(c.oid) AS key
${FROM}
LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
LEFT JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
${WHERE}`;

const COLUMNS = `
SELECT a.attrelid AS table, a.attname AS name,
  -- an extension may be in another schema there, and its types are the same
  CASE WHEN e.objid IS NULL THEN pg_catalog.format_type(a.atttypid, a.atttypmod)
    ELSE pg_catalog.regexp_replace(pg_catalog.format_type(a.atttypid, a.atttypmod), '^("([^"]|"")+"|[^".]+)\\.', '') END AS type, a.attgenerated::text AS generated,
  a.attidentity::text AS identity, NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '' AS optional
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_depend e ON e.classid = 'pg_catalog.pg_type'::regclass AND e.deptype = 'e'
  AND e.objid = CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN t.typelem ELSE t.oid END
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (SELECT c.oid ${FROM} ${WHERE})
ORDER BY a.attrelid, a.attnum`;
