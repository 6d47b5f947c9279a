import { FIRST_NORMAL_OID } from "../postgres/first-normal-oid.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import type { TableInfo } from "./tables.ts";
import { readValueForms, type ValueForm } from "./value-forms.ts";

/** How the rows of one table are hashed: the same expression on both servers. */
export interface RowHash {
  /** SQL for one 64-bit number a row. */
  sql: string;
  columns: readonly HashedColumn[];
  /** Generated columns that are not compared. */
  leftOut: readonly string[];
}

interface HashedColumn extends ValueForm {
  name: string;
  /** SQL for one 64-bit number a value. */
  sql: string;
}

export type RowHashes = (table: TableInfo) => RowHash;

/**
 * The hash of a row is one hash over the bytes of all its columns. It is neither `hash_record_extended` nor a sum of hashes of columns:
 * those are linear, so that two rows which swapped a value would add up to the same; and the hash functions of types are made for
 * equality, which -0 and 0, 1.0 and 1.00, 1 day and 24 hours, or a bigint and one that is 2^32 times as large pass (manual 38.16.3).
 * `record_send` writes NULLs, lengths and types, so that nothing can move from one column to the next.
 * @param ends With a target that is not known yet, only what holds for any.
 */
export async function readRowHashes(
  ends: { source: Session; target: Session | undefined },
  facts: { sourceEncoding: string; targetEncoding: string },
): Promise<RowHashes> {
  const { source, target } = ends;
  const { sourceEncoding, targetEncoding } = facts;
  const own = sourceEncoding === targetEncoding && sourceEncoding !== "UTF8" ? sourceEncoding : null;
  const forms = await readValueForms(source, own);
  const digest = target && (await hashAlike({ source, target })) ? fast : portable;
  const sameMajor = target && Math.floor(source.serverVersion / 10_000) === Math.floor(target.serverVersion / 10_000);
  const sure = new Set(sameMajor ? await readSureColumns(source) : []);
  const known = new Map<number, RowHash>();

  const make = (table: TableInfo): RowHash => {
    const isSure = (name: string): boolean => sure.has(columnKey(table.oid, name));
    const columns = table.columns
      .filter((column) => !column.generated || isSure(column.name))
      .map(({ name, type }): HashedColumn => {
        const form = forms(type);
        return { ...form, name, sql: digest([form.hashed(quoteIdent(name))]) };
      });
    return {
      sql: digest(columns.map((column) => column.hashed(quoteIdent(column.name)))),
      columns,
      leftOut: table.columns.filter((column) => column.generated && !isSure(column.name)).map((column) => column.name),
    };
  };
  return (table) => {
    const hash = known.get(table.oid) ?? make(table);
    known.set(table.oid, hash);
    return hash;
  };
}

const bytesOf = (values: readonly string[]): string => `pg_catalog.record_send(ROW(${values.join(", ")}))`;

/** Of all functions that hash bytes to 64 bits this one is there from 12 to 18. With one element it is the hash of its bytes plus 31. */
function fast(values: readonly string[]): string {
  return `pg_catalog.hash_array_extended(ARRAY[${bytesOf(values)}], 0)`;
}

function portable(values: readonly string[]): string {
  return `('x' || pg_catalog.md5(${bytesOf(values)}))::pg_catalog.bit(64)::pg_catalog.int8`;
}

/** The server's own hash depends on the machine's byte order. */
async function hashAlike(ends: { source: Session; target: Session }): Promise<boolean> {
  const probe = `SELECT ${fast(["'pgditto: is it the same hash on both machines?'::pg_catalog.text"])}::pg_catalog.text AS hash`;
  const [there, here] = await Promise.all([ends.source, ends.target].map((session) => session.query<{ hash: string }>(probe)));
  return there?.[0]?.hash === here?.[0]?.hash;
}

/**
 * Stored generated columns that two servers of one major version compute alike: by PostgreSQL's own functions and operators, and no
 * floats, whose last bit is the machine's. Others may rightly differ: the target computes them anew.
 */
async function readSureColumns(session: Session): Promise<string[]> {
  const rows = await session.query<{ table: number; name: string }>(`
SELECT a.attrelid AS table, a.attname AS name
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attgenerated = 's' AND a.atttypid NOT IN ('pg_catalog.float4'::regtype, 'pg_catalog.float8'::regtype)
  -- up to 14 the column depends on what its expression uses, from 15 on the expression does
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
    WHERE (x.classid, x.objid, x.objsubid) IN (('pg_catalog.pg_attrdef'::regclass, d.oid, 0), ('pg_catalog.pg_class'::regclass, a.attrelid, a.attnum))
      AND x.refclassid NOT IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_attrdef'::regclass) AND x.refobjid >= ${FIRST_NORMAL_OID})`);
  return rows.map(({ table, name }) => columnKey(table, name));
}

function columnKey(table: number, name: string): string {
  return `${table} ${name}`;
}
