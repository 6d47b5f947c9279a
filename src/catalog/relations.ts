import type { Session } from "../postgres/session.ts";
import { USER_SCHEMA } from "./tables.ts";

export interface IndexInfo {
  oid: number;
  schema: string;
  name: string;
  table: number;
  /** OID of the partitioned index it is attached to. */
  parent: number | undefined;
  /** On the source, as of its last VACUUM or ANALYZE. */
  bytes: number;
  /** `btree`, `gin`, … */
  method: string;
  /** It has expressions, which have statistics of their own. */
  expressions: boolean;
  /** CREATE INDEX, for the index of a large table's primary key or unique constraint. */
  definition?: string | undefined;
}

export interface ConstraintInfo {
  oid: number;
  name: string;
  /** `pg_constraint.contype`: p, u, x, f, c, n, t. */
  type: string;
  table: number;
  /** Of a foreign key: the table it refers to, and the unique index there. */
  refTable: number;
  refIndex: number;
  /** Of a primary key, unique or exclusion constraint: its index. */
  index: number;
  validated: boolean;
  deferrable: boolean;
  deferred: boolean;
}

export interface SequenceInfo {
  schema: string;
  name: string;
  /** The extension whose configuration it is. */
  extension?: string | undefined;
}

export interface MatviewInfo {
  oid: number;
  schema: string;
  name: string;
  populated: boolean;
}

/** @param large Tables whose keys may be worth building in two steps. */
export async function readIndexes(session: Session, large: readonly number[]): Promise<IndexInfo[]> {
  const rows = await session.query<Omit<IndexInfo, "parent" | "definition"> & { parent: number | null; definition: string | null }>(
    `
SELECT c.oid, n.nspname AS schema, c.relname AS name, i.indrelid AS table, h.inhparent AS parent,
  -- pg_relation_size would wait for a REINDEX
  c.relpages * pg_catalog.current_setting('block_size')::pg_catalog.float8 AS bytes, m.amname AS method, i.indexprs IS NOT NULL AS expressions,
  CASE WHEN i.indrelid = ANY ($1::pg_catalog.oid[]) AND i.indisunique AND NOT i.indisexclusion AND m.amname = 'btree'
    THEN pg_catalog.pg_get_indexdef(c.oid) END AS definition
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am m ON m.oid = c.relam
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
WHERE ${USER_SCHEMA}`,
    [large],
  );
  return rows.map((row) => ({ ...row, parent: row.parent ?? undefined, definition: row.definition ?? undefined }));
}

export async function readConstraints(session: Session): Promise<ConstraintInfo[]> {
  return session.query<ConstraintInfo>(`
SELECT c.oid, c.conname AS name, c.contype::text AS type, c.conrelid AS table, c.confrelid AS "refTable",
  CASE WHEN c.contype = 'f' THEN c.conindid ELSE 0 END AS "refIndex",
  CASE WHEN c.contype = 'f' THEN 0 ELSE c.conindid END AS index, c.convalidated AS validated,
  c.condeferrable AS deferrable, c.condeferred AS deferred
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE c.conrelid <> 0 AND ${USER_SCHEMA}`);
}

/** Sequences whose value is copied: all but those of extensions that are not configuration. */
export async function readSequences(session: Session): Promise<SequenceInfo[]> {
  const rows = await session.query<{ schema: string; name: string; extension: string | null }>(`
SELECT n.nspname AS schema, c.relname AS name, e.extname AS extension
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND (d.objid IS NULL OR c.oid = ANY (e.extconfig))
ORDER BY 1, 2`);
  return rows.map(({ extension, ...row }) => ({ ...row, extension: extension ?? undefined }));
}

export async function readMatviews(session: Session): Promise<MatviewInfo[]> {
  return session.query<MatviewInfo>(`
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relispopulated AS populated
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND ${USER_SCHEMA} ORDER BY 2, 3`);
}
