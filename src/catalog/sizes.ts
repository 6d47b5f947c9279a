import { PgdittoError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { USER_SCHEMA } from "./tables.ts";

/** What one relation takes on the source's disk. */
export interface RelationSize {
  oid: number;
  /** OID of the table that an index belongs to; its own otherwise. */
  table: number;
  index: boolean;
  /** Empty: that of the database. */
  tablespace: string;
  /** Heap with its TOAST, or the index. */
  bytes: number;
}

/** Somebody's ACCESS EXCLUSIVE keeps sizes from being read; then the last VACUUM's or ANALYZE's word has to do. */
const LOCK_TIMEOUT = "2s";

/** Sizes of the user's tables, indexes and materialized views and of the large objects, before any lock of ours is taken. */
export async function readSizes(session: Session): Promise<RelationSize[]> {
  await session.run(`SET lock_timeout = '${LOCK_TIMEOUT}'`);
  try {
    return await readWith(
      session,
      "CASE WHEN c.relkind = 'i' THEN pg_catalog.pg_relation_size(c.oid) ELSE pg_catalog.pg_table_size(c.oid) END",
    );
  } catch (error) {
    if (!(error instanceof PgdittoError) || error.sqlstate !== "55P03") throw error;
    return await readWith(session, "c.relpages * pg_catalog.current_setting('block_size')::pg_catalog.float8");
  } finally {
    await session.run("SET lock_timeout = 0");
  }
}

async function readWith(session: Session, bytes: string): Promise<RelationSize[]> {
  return await session.query<RelationSize>(`
SELECT c.oid, COALESCE(i.indrelid, c.oid) AS table, c.relkind = 'i' AS index, COALESCE(s.spcname::text, '') AS tablespace, (${bytes})::pg_catalog.float8 AS bytes
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
WHERE (${USER_SCHEMA} AND c.relkind IN ('r', 'm', 'i') AND c.relpersistence <> 't')
  OR c.oid IN ('pg_catalog.pg_largeobject'::pg_catalog.regclass, 'pg_catalog.pg_largeobject_loid_pn_index'::pg_catalog.regclass)`);
}
