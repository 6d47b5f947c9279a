import type { Session } from "../postgres/session.ts";
import { groupBy } from "../util/group-by.ts";
import { loadedThrough, readUnstablyHashed } from "./unstable-partitions.ts";

/** A table that can hold rows of its own, or a partitioned table (which cannot). */
export interface TableInfo {
  oid: number;
  schema: string;
  name: string;
  /** `r` ordinary, `p` partitioned. */
  kind: "r" | "p";
  /** Heap and TOAST on the source, in bytes; indexes not counted. */
  bytes: number;
  /** Blocks of the heap. */
  blocks: number;
  /** It has extended statistics (CREATE STATISTICS), which only ANALYZE makes. */
  extendedStatistics: boolean;
  /** The planner's estimate; 0 when never analyzed. */
  rowEstimate: number;
  unlogged: boolean;
  /** OID of the partitioned table at the top, its own OID when it is none's partition. */
  root: number;
  /** OIDs of the tables it is a partition or an inheritance child of. */
  parents: readonly number[];
  /** Its file's number, another one after whatever rewrote it (VACUUM FULL, TRUNCATE, most of ALTER TABLE); 0 where it has none. */
  file: number;
  columns: readonly ColumnInfo[];
  /** Set for an extension's configuration table: `pg_extension.extcondition`, empty for all rows. */
  extension?: { name: string; condition: string } | undefined;
  /** Of a partition: OID of the partitioned table that its rows are loaded through, because they may belong elsewhere on the target. */
  through?: number | undefined;
  /** Of a partitioned table that rows are loaded through: the partitions that these rows are read from. */
  parts?: readonly TableInfo[] | undefined;
}

interface ColumnInfo {
  name: string;
  /** `pg_attribute.attnum`: never given to another column of the table. */
  number: number;
  type: number;
  /** A generated column's values are computed on the target, never copied. */
  generated: boolean;
}

interface TableRow {
  oid: number;
  schema: string;
  name: string;
  kind: "r" | "p";
  bytes: string;
  blocks: number;
  extended: boolean;
  rows: number;
  persistence: string;
  root: number;
  file: number | null;
  extension: string | null;
  condition: string | null;
}

/**
 * Every table of the database that is copied: not those of extensions, unless the extension declares them configuration
 * (manual 38.17.3), and not temporary or foreign ones. Three queries, however many tables there are.
 */
export async function readTables(session: Session): Promise<TableInfo[]> {
  const rows = await session.query<TableRow>(TABLES);
  const columns = groupBy(await session.query<{ table: number } & ColumnInfo>(COLUMNS), (row) => row.table);
  const parents = groupBy(await session.query<{ child: number; parent: number }>(PARENTS), (row) => row.child);
  const unstable = await readUnstablyHashed(session);
  const parentsOf = (oid: number): number[] => (parents.get(oid) ?? []).map(({ parent }) => parent);
  return rows.map((row) => ({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.kind,
    bytes: Number(row.bytes),
    blocks: row.blocks,
    extendedStatistics: row.extended,
    rowEstimate: Math.max(0, row.rows),
    unlogged: row.persistence === "u",
    root: row.root,
    parents: parentsOf(row.oid),
    file: row.file ?? 0,
    columns: (columns.get(row.oid) ?? []).map(({ name, number, type, generated }) => ({ name, number, type, generated })),
    extension: row.extension === null ? undefined : { name: row.extension, condition: row.condition ?? "" },
    ...(row.kind === "r" && unstable.size > 0 && { through: loadedThrough(row.oid, parentsOf, unstable) }),
  }));
}

/**
 * What a table's stored rows mean: its files, and the columns in them. As long as it stays the same, a row that was not written anew
 * has its values: a column that was dropped and added again has another number.
 */
export function fileOf(table: TableInfo): string {
  const places = table.parts ?? [table];
  return places.map(({ oid, file, columns }) => `${oid}:${file}:${columns.map(({ number }) => number).join(",")}`).join(" ");
}

/** Names for LOCK TABLE, without anything else: what is read before the snapshot exists. Sizes would wait for locks, without a limit. */
export async function readTableNames(session: Session, readable = false): Promise<Array<{ schema: string; name: string }>> {
  const may = readable ? "AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')" : "";
  return session.query<{ schema: string; name: string }>(`SELECT n.nspname AS schema, c.relname AS name ${FROM} ${may} ORDER BY 1, 2`);
}

/** Tables of somebody's own, not of extensions nor of pgditto: nothing that waits for locks, as sizes do. */
export async function readOwnTables(session: Session): Promise<Array<Pick<TableInfo, "oid" | "schema" | "name" | "kind" | "parents">>> {
  const rows = await session.query<Pick<TableInfo, "oid" | "schema" | "name" | "kind">>(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind ${FROM} AND x.oid IS NULL AND n.nspname <> 'pgditto' ORDER BY 2, 3`,
  );
  const parents = groupBy(await session.query<{ child: number; parent: number }>(PARENTS), (row) => row.child);
  return rows.map((row) => ({ ...row, parents: (parents.get(row.oid) ?? []).map(({ parent }) => parent) }));
}

/** Not the system's, not somebody's temporary ones. */
export const USER_SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const FROM = `
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
LEFT JOIN (
  SELECT e.oid, e.extname, u.config, u.condition
  FROM pg_catalog.pg_extension e, unnest(e.extconfig, e.extcondition) AS u(config, condition)
) x ON x.oid = d.refobjid AND x.config = c.oid
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND (${USER_SCHEMA} OR x.oid IS NOT NULL)
  AND (d.objid IS NULL OR x.oid IS NOT NULL)`;

const TABLES = `
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
  CASE WHEN c.relkind = 'p' THEN 0 ELSE pg_catalog.pg_table_size(c.oid) END AS bytes,
  CASE WHEN c.relkind = 'p' THEN 0 ELSE pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int END::pg_catalog.float8 AS blocks,
  EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = c.oid) AS extended, c.reltuples AS rows,
  CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::oid ELSE c.oid END AS root,
  pg_catalog.pg_relation_filenode(c.oid) AS file,
  x.extname AS extension, x.condition
${FROM}
ORDER BY n.nspname, c.relname`;

const COLUMNS = `
SELECT a.attrelid AS table, a.attname AS name, a.attnum AS number, a.atttypid AS type, a.attgenerated <> '' AS generated
FROM pg_catalog.pg_attribute a
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (SELECT c.oid ${FROM})
ORDER BY a.attrelid, a.attnum`;

const PARENTS = `
SELECT inhrelid AS child, inhparent AS parent FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p') ORDER BY i.inhrelid, i.inhseqno`;
