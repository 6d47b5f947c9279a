/** Rows of a table as found on either side; -1: nobody looked. */
export interface RowCounts {
  source: number;
  target: number;
  /** With checksums: the sum of the rows' hashes. */
  sums?: { source: bigint; target: bigint } | undefined;
}

/** A table's counts are those of its ranges together. */
export function addCounts(before: RowCounts | undefined, more: RowCounts): RowCounts {
  if (!before) return more;
  const sums =
    before.sums && more.sums
      ? { source: before.sums.source + more.sums.source, target: before.sums.target + more.sums.target }
      : (before.sums ?? more.sums);
  return { source: before.source + more.source, target: before.target + more.target, sums };
}

/** The source's side of one look and the target's of another. */
export function joinSides(there: RowCounts, here: RowCounts | undefined): RowCounts {
  const sums = there.sums && here?.sums ? { source: there.sums.source, target: here.sums.target } : undefined;
  return { source: there.source, target: here?.target ?? -1, sums };
}
