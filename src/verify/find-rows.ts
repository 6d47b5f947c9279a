import type { RowHash } from "../catalog/row-hash.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { DifferentRow, Side } from "../errors.ts";
import { placesOf } from "../plan/table-places.ts";
import { displayName, quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { inSlices } from "../util/group-by.ts";
import { differentHashes, type HashCount } from "./different-hashes.ts";
import { readPrimaryKey } from "./primary-key.ts";

export interface Ends {
  source: Session;
  target: Session;
}

/** Keys looked up in one statement. */
const KEYS_AT_ONCE = 100;

interface Spot {
  place: string;
  ctid: string;
}

interface KeyedRow {
  key: readonly string[];
  /** A hash for every column. */
  values: readonly string[];
}

/**
 * Names rows that differ, at most `limit`: by primary key, with the columns that differ; without one by their place, and then a changed
 * row is one that is missing and another that is too many. Both sessions must see what was hashed.
 */
export async function findRows(
  ends: Ends,
  table: TableInfo,
  options: { hash: RowHash; rows: number; limit: number; signal: AbortSignal },
): Promise<DifferentRow[]> {
  const { hash, limit, signal } = options;
  const look = {
    from: { source: hashedRows(table, "source", hash), target: hashedRows(table, "target", hash) },
    rows: options.rows,
    signal,
  };
  const found = await differentHashes(ends, look);
  const more = (side: Side): Promise<Spot[]> => findSpots(ends[side], look.from[side], found[side], limit, signal);
  const [there, here] = await Promise.all([more("source"), more("target")]);
  const spots = { source: there, target: here };
  const primary = await readPrimaryKey(ends.source, table.oid);
  const name = displayName(table.schema, table.name);
  if (primary.length === 0 || !primary.every((column) => hash.columns.some((one) => one.name === column))) {
    const unnamed = (side: Side): DifferentRow[] =>
      spots[side].map((spot) => ({ table: name, ...spot, state: side === "source" ? "missing" : "extra" }));
    return [...unnamed("source"), ...unnamed("target")].slice(0, limit);
  }
  return await byKey(ends, table, { ...options, primary, spots, name });
}

/**
 * The rows' hashes and places, for a FROM. OFFSET 0 keeps the hash from being computed again for every mention of it, and the planner
 * from guessing that there are as many groups as rows, all of which it would then sort on disk.
 */
function hashedRows(table: TableInfo, side: Side, hash: RowHash): string {
  const selects = placesOf(table, side).map((place) => `SELECT ${hash.sql} AS hash, tableoid AS part, ctid AS spot FROM ${place}`);
  return `(SELECT * FROM (${selects.join(" UNION ALL ")}) AS places OFFSET 0) AS hashed`;
}

async function findSpots(
  session: Session,
  from: string,
  hashes: readonly HashCount[],
  limit: number,
  signal: AbortSignal,
): Promise<Spot[]> {
  const wanted = hashes.slice(0, limit);
  if (wanted.length === 0) return [];
  // of equal rows, as many as there are too many of
  const rows = await session.query<Spot>(
    `SELECT part::pg_catalog.regclass::pg_catalog.text AS place, spot::pg_catalog.text AS ctid
     FROM (SELECT hash, part, spot, row_number() OVER (PARTITION BY hash) AS nth FROM ${from} WHERE hash = ANY ($1::pg_catalog.int8[])) AS ranked
     JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.int8[]), pg_catalog.unnest($2::pg_catalog.int8[])) AS wanted(hash, more) USING (hash)
     WHERE nth <= more LIMIT ${limit}`,
    [wanted.map((one) => one.hash), wanted.map((one) => one.more)],
    signal,
  );
  return rows;
}

type ByKey = {
  hash: RowHash;
  limit: number;
  signal: AbortSignal;
  primary: readonly string[];
  spots: Readonly<Record<Side, readonly Spot[]>>;
  name: string;
};

async function byKey(ends: Ends, table: TableInfo, options: ByKey): Promise<DifferentRow[]> {
  const { hash, limit, signal, primary, spots, name } = options;
  const keysAt = async (side: Side): Promise<string[][]> => {
    const found = [];
    for (const place of new Set(spots[side].map((spot) => spot.place))) {
      const ctids = spots[side].filter((spot) => spot.place === place).map((spot) => spot.ctid);
      const sql = `SELECT ${keyText(primary, hash.columns)} AS key FROM ONLY ${place} WHERE ctid = ANY ($1::pg_catalog.tid[]) ORDER BY ctid`;
      found.push(...(await ends[side].query<{ key: string[] }>(sql, [ctids], signal)));
    }
    return found.map((row) => row.key);
  };
  const keys = [...new Map([...(await keysAt("source")), ...(await keysAt("target"))].map((key) => [JSON.stringify(key), key])).values()];
  const rows: DifferentRow[] = [];
  for (const slice of inSlices(keys.slice(0, limit), KEYS_AT_ONCE)) {
    const [there, here] = await Promise.all([readByKey(ends.source, table, slice, options), readByKey(ends.target, table, slice, options)]);
    for (const key of slice) {
      const [source, target] = [there.get(JSON.stringify(key)), here.get(JSON.stringify(key))];
      const columns = hash.columns.flatMap((column, i) => (source?.values[i] === target?.values[i] ? [] : [column.name]));
      const which = { table: name, key: Object.fromEntries(primary.map((column, i) => [column, key[i] ?? ""])) };
      if (source && target) rows.push({ ...which, state: "different", columns });
      else rows.push({ ...which, state: source ? "missing" : "extra" });
    }
  }
  return rows;
}

async function readByKey(
  session: Session,
  table: TableInfo,
  keys: ReadonlyArray<readonly string[]>,
  { hash, signal, primary }: ByKey,
): Promise<ReadonlyMap<string, KeyedRow>> {
  const forms = new Map(hash.columns.map((column) => [column.name, column]));
  const is = (key: readonly string[]): string =>
    primary.map((name, i) => forms.get(name)?.equals(quoteIdent(name), key[i] ?? "") ?? "false").join(" AND ");
  const wanted = keys.map((key) => `(${is(key)})`).join(" OR ");
  const values = hash.columns.map((column) => `${column.sql}::pg_catalog.text`).join(", ");
  const selects = placesOf({ ...table, extension: undefined }, session.side).map(
    (place) =>
      `SELECT ${keyText(primary, hash.columns)} AS key, ARRAY[${values}]::pg_catalog.text[] AS values FROM ${place} WHERE ${wanted}`,
  );
  const rows = await session.query<KeyedRow>(selects.join(" UNION ALL "), [], signal);
  return new Map(rows.map((row) => [JSON.stringify(row.key), row]));
}

function keyText(primary: readonly string[], forms: RowHash["columns"]): string {
  const shown = primary.map((name) => forms.find((column) => column.name === name)?.shown(quoteIdent(name)) ?? "NULL");
  return `ARRAY[${shown.join(", ")}]::pg_catalog.text[]`;
}
