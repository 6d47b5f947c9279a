/** What the catalog says of any type. */
export interface TypeRow {
  oid: number;
  name: string;
  schema: string;
  /** `pg_type.typtype`. */
  kind: string;
  base: number;
  element: number;
  isArray: boolean;
}

/** The columns of a TypeRow, for what `TYPE_FROM` reads from. */
export const TYPE_COLUMNS = `t.oid, t.typname AS name, n.nspname AS schema, t.typtype::text AS kind, t.typbasetype AS base, t.typelem AS element,
  t.typelem <> 0 AND t.typlen = -1 AND t.typinput = 'pg_catalog.array_in'::regproc AS "isArray"`;

export const TYPE_FROM = "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace";
