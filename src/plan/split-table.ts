import type { TableInfo } from "../catalog/tables.ts";
import type { BlockRange } from "./task.ts";

/** What an earlier run has copied of a table. */
export type KeptRange = "whole" | Pick<BlockRange, "from" | "to">;

/** Smaller ranges cost more than they gain: a split table is loaded without FREEZE. Bytes of heap and TOAST. */
const SMALLEST_RANGE = 128 * 1024 * 1024;
/** An index or two make the chain behind a table's rows longer than the rows alone. */
const CHAIN = 1.5;

/**
 * The ranges of blocks that a table is copied in, with an even number of bytes each; none: it goes as a whole. A table is split when it
 * would keep one connection busy while the others have nothing left. TOAST lies apart, so that a small heap can have much behind it: the
 * number of ranges comes from all bytes, their bounds from the heap.
 */
export function splitTable(table: TableInfo, allBytes: number, streams: number): BlockRange[] {
  if (streams < 2 || table.extension !== undefined || table.parts !== undefined) return [];
  const share = allBytes / streams;
  if (table.bytes < 2 * SMALLEST_RANGE || table.bytes * CHAIN <= share) return [];
  const of = Math.min(Math.floor(table.bytes / SMALLEST_RANGE), 2 * streams, table.blocks);
  if (of < 2) return [];
  const bound = (i: number): number => Math.round((table.blocks * i) / of);
  return Array.from({ length: of }, (_, i) => ({
    number: i + 1,
    of,
    from: bound(i),
    // rows may have come behind the last block that the catalog knew
    to: i + 1 === of ? undefined : bound(i + 1),
  }));
}

/** The ranges of a table of which an earlier run has copied some: those, and what lies between and behind them. None: all of it is there. */
export function rangesAround(kept: readonly KeptRange[]): BlockRange[] {
  const ranges: Array<Pick<BlockRange, "from" | "to">> = [];
  let end: number | undefined = 0;
  for (const range of kept.filter((each) => each !== "whole").toSorted((a, b) => a.from - b.from)) {
    if (end !== undefined && range.from > end) ranges.push({ from: end, to: range.from });
    ranges.push(range);
    end = range.to;
  }
  if (ranges.length > 0 && end !== undefined) ranges.push({ from: end, to: undefined });
  return ranges.map((range, i) => ({ ...range, number: i + 1, of: ranges.length }));
}
