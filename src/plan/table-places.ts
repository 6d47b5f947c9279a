import type { TableInfo } from "../catalog/tables.ts";
import type { Side } from "../errors.ts";
import { quoteQualified } from "../postgres/quote.ts";
import type { BlockRange } from "./task.ts";

/**
 * Where a table's rows lie, each for a FROM with what follows it. Those that were loaded through a partitioned table may be in any of
 * its partitions on the target. Of an extension's table only the rows that its condition names are the user's.
 */
export function placesOf(table: TableInfo, side: Side, range?: BlockRange): string[] {
  const name = quoteQualified(table.schema, table.name);
  if (table.parts) return side === "target" ? [name] : table.parts.map((part) => `ONLY ${quoteQualified(part.schema, part.name)}`);
  if (range) return [`ONLY ${name} WHERE ${within(range)}`];
  return [`ONLY ${name} ${table.extension?.condition ?? ""}`];
}

/** The last range has no end, so that ranges cover a table of any size: those of the source's blocks the target's, too. */
function within({ from, to }: BlockRange): string {
  const before = to === undefined ? "" : ` AND ctid < '(${to},0)'::pg_catalog.tid`;
  return `ctid >= '(${from},0)'::pg_catalog.tid${before}`;
}
