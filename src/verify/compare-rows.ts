import type { RowHashes } from "../catalog/row-hash.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { Difference, DifferentRow } from "../errors.ts";
import { displayIdent, displayName } from "../postgres/quote.ts";
import { type Ends, findRows } from "./find-rows.ts";

/** What a look at a table found; -1: nobody looked. */
interface TableCounts {
  source: number;
  target: number;
  sums?: { source: bigint; target: bigint } | undefined;
}

/** So many rows are named in a run; people are shown the first 20. */
const ROWS_NAMED = 1000;

/** Tables whose rows differ in number or, where they were hashed, in content; and which rows. */
export async function compareRows(
  tables: readonly TableInfo[],
  counts: ReadonlyMap<number, TableCounts>,
  options: { rowHash: RowHashes | undefined; ends: Ends | undefined; signal: AbortSignal },
): Promise<Difference[]> {
  const { rowHash, ends, signal } = options;
  const differences: Difference[] = [];
  let left = ROWS_NAMED;
  for (const table of tables) {
    const found = counts.get(table.oid);
    const difference = compareCounts(table, found, rowHash !== undefined);
    if (!difference) continue;
    differences.push(difference);
    if (!rowHash || !ends || !found?.sums || left === 0) continue;
    const rows = await findRows(ends, table, {
      hash: rowHash(table),
      rows: Math.max(found.source, found.target),
      limit: left,
      signal,
    });
    left -= rows.length;
    differences.push(...rows.map(tellRow));
  }
  return differences;
}

/** A table that was never looked at differs too: silence is a bug. */
export function compareCounts(table: TableInfo, found: TableCounts | undefined, hashed = false): Difference | undefined {
  const object = displayName(table.schema, table.name);
  const tell = (rows: number | undefined): string => (rows === undefined || rows < 0 ? "not counted" : `${rows} rows`);
  if (!found || found.source !== found.target || found.source < 0)
    return { kind: "rows", object, source: tell(found?.source), target: tell(found?.target) };
  if (!hashed || (found.sums && found.sums.source === found.sums.target)) return undefined;
  const sum = (value: bigint | undefined): string =>
    value === undefined ? "not read" : BigInt.asUintN(64, value).toString(16).padStart(16, "0");
  return { kind: "checksum", object, source: sum(found.sums?.source), target: sum(found.sums?.target) };
}

function tellRow(row: DifferentRow): Difference {
  const which = row.key
    ? Object.entries(row.key)
        .map(([column, value]) => `${displayIdent(column)}=${value}`)
        .join(", ")
    : `ctid ${row.ctid ?? "?"}${row.place === undefined || row.place === row.table ? "" : ` of ${row.place}`}`;
  const target = row.state === "different" ? `other ${row.columns?.map(displayIdent).join(", ") ?? "values"}` : "missing";
  const sides = row.state === "extra" ? { source: "missing", target: "there" } : { source: "there", target };
  return { kind: "row", object: `${row.table} ${which}`, ...sides, row };
}
