import type { Session } from "../postgres/session.ts";
import { quoteIdent, quoteQualified } from "../postgres/quote.ts";

/** Rows of a table that refer to nothing. */
export interface Orphans {
  /** All of them, those without an example too. */
  count: number;
  /** The table that they refer to. */
  refTable: { schema: string; name: string };
  columns: readonly string[];
  /** Distinct values of the key's columns, as text. */
  examples: ReadonlyArray<ReadonlyArray<string | null>>;
}

interface Key {
  partitioned: boolean;
  refSchema: string;
  refName: string;
  refPartitioned: boolean;
  columns: string[];
  refColumns: string[];
  operators: string[];
  /** Of the columns referred to, with COLLATE, where a column has another than the one it refers to; else empty. */
  collations: string[];
  full: boolean;
}

/**
 * The rows that break a foreign key which is there, valid or not, looked for with the key's own operators. Undefined when there is no such
 * key, or when it is one over periods.
 */
export async function readOrphans(
  session: Session,
  of: { schema: string; table: string; name: string },
  limit: number,
  signal?: AbortSignal,
): Promise<Orphans | undefined> {
  const [key] = await session.query<Key>(
    `
SELECT t.relkind = 'p' AS partitioned, rn.nspname AS "refSchema", r.relname AS "refName", r.relkind = 'p' AS "refPartitioned", c.confmatchtype = 'f' AS full,
  ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.i) AS columns,
  ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.i) AS "refColumns",
  ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_catalog.unnest(c.conpfeqop) WITH ORDINALITY k(op, i) JOIN pg_catalog.pg_operator o ON o.oid = k.op
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace ORDER BY k.i) AS operators,
  ARRAY(SELECT COALESCE(' COLLATE ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname), '')
    FROM ROWS FROM (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey)) WITH ORDINALITY k(n, m, i)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.m
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = b.attcollation AND a.attcollation <> b.attcollation
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace ORDER BY k.i) AS collations
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = c.confrelid
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
WHERE c.contype = 'f' AND tn.nspname = $1 AND t.relname = $2 AND c.conname = $3 ${session.serverVersion >= 180_000 ? "AND NOT c.conperiod" : ""}`,
    [of.schema, of.table, of.name],
    signal,
  );
  if (!key) return undefined;
  const rows = await session.query<{ values: Array<string | null>; all: string }>(orphansSql(of, key, limit), [], signal);
  return {
    count: Number(rows[0]?.all ?? 0),
    refTable: { schema: key.refSchema, name: key.refName },
    columns: key.columns,
    examples: rows.map((row) => row.values),
  };
}

/** As the server's own check does it (ri_triggers.c, RI_Initial_Check): a row without a match whose columns are not NULL; with MATCH FULL, not all of them. Compared as the column that is referred to compares. */
function orphansSql(of: { schema: string; table: string }, key: Key, limit: number): string {
  const columns = key.columns.map((name) => `f.${quoteIdent(name)}`);
  const refers = columns.map((column) => `${column} IS NOT NULL`).join(key.full ? " OR " : " AND ");
  const matches = columns
    .map((column, i) => `r.${quoteIdent(key.refColumns[i] ?? "")} ${key.operators[i]} ${column}${key.collations[i] ?? ""}`)
    .join(" AND ");
  const only = (partitioned: boolean): string => (partitioned ? "" : "ONLY ");
  return `SELECT ARRAY[${columns.map((column) => `${column}::pg_catalog.text`).join(", ")}] AS values, pg_catalog.sum(count(*)) OVER () AS all
FROM ${only(key.partitioned)}${quoteQualified(of.schema, of.table)} f
WHERE (${refers}) AND NOT EXISTS (SELECT FROM ${only(key.refPartitioned)}${quoteQualified(key.refSchema, key.refName)} r WHERE ${matches})
GROUP BY 1 ORDER BY 1 LIMIT ${limit}`;
}
