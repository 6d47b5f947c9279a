import { quoteIdent, quoteQualified } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/** Rows of a table that a CHECK or NOT NULL would refuse. */
export interface UnfitRows {
  count: number;
  /** Whole rows as text, the first characters of each. */
  examples: readonly string[];
}

/** Characters of a row that people are shown. */
const SHOWN = 120;

/**
 * The rows that break a CHECK or NOT NULL that is there, valid or not; or, before PostgreSQL 18, that have NULL in the column of this name.
 * Undefined when there is neither.
 */
export async function readUnfitRows(
  session: Session,
  of: { schema: string; table: string; name: string },
  limit: number,
  signal?: AbortSignal,
): Promise<UnfitRows | undefined> {
  const [found] = await session.query<{ check: string | null; column: string | null }>(
    `SELECT pg_catalog.pg_get_expr(c.conbin, t.oid) AS check, a.attname AS column
     FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
     LEFT JOIN pg_catalog.pg_constraint c ON c.conrelid = t.oid AND c.conname = $3 AND c.contype IN ('c', 'n')
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND CASE WHEN c.contype = 'n' THEN a.attnum = c.conkey[1] ELSE c.oid IS NULL AND a.attname = $3 END
     WHERE n.nspname = $1 AND t.relname = $2`,
    [of.schema, of.table, of.name],
    signal,
  );
  const unfit = found?.check ? `NOT (${found.check})` : found?.column ? `${quoteIdent(found.column)} IS NULL` : undefined;
  if (unfit === undefined) return undefined;
  const rows = await session.query<{ row: string; all: string }>(
    `SELECT pg_catalog.left((f.*)::pg_catalog.text, ${SHOWN}) AS row, count(*) OVER () AS all FROM ${quoteQualified(of.schema, of.table)} f WHERE ${unfit} LIMIT ${limit}`,
    [],
    signal,
  );
  return { count: Number(rows[0]?.all ?? 0), examples: rows.map(({ row }) => row) };
}
