import type { SequenceInfo } from "../catalog/relations.ts";
import type { Difference } from "../errors.ts";
import { displayName, quoteQualified } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { inSlices } from "../util/group-by.ts";
import type { Ends } from "./find-rows.ts";

/** Sequences that both sides have, whose values differ. They belong to no snapshot: a source that is in use may be ahead. */
export async function compareSequences(
  ends: Ends,
  sequences: Readonly<{ source: readonly SequenceInfo[]; target: readonly SequenceInfo[] }>,
  signal: AbortSignal,
): Promise<{ compared: number; differences: Difference[] }> {
  const nameOf = ({ schema, name }: SequenceInfo): string => quoteQualified(schema, name);
  const there = new Set(sequences.source.map(nameOf));
  const common = sequences.target.filter((sequence) => there.has(nameOf(sequence)));
  const [source, target] = await Promise.all([readValues(ends.source, common, signal), readValues(ends.target, common, signal)]);
  const differences = common.flatMap(({ schema, name }, i): Difference[] => {
    const [a = "", b = ""] = [source[i], target[i]];
    return a === b ? [] : [{ kind: "sequence value", object: displayName(schema, name), source: a, target: b }];
  });
  return { compared: common.length, differences };
}

async function readValues(session: Session, sequences: readonly SequenceInfo[], signal: AbortSignal): Promise<string[]> {
  const values: string[] = [];
  for (const slice of inSlices(sequences, 200)) {
    const reads = slice.map(
      ({ schema, name }, i) =>
        `SELECT ${i} AS i, last_value::text || CASE WHEN is_called THEN '' ELSE ' not called' END AS value FROM ${quoteQualified(schema, name)}`,
    );
    const rows = await session.query<{ i: number; value: string }>(`${reads.join(" UNION ALL ")} ORDER BY 1`, [], signal);
    values.push(...rows.map((row) => row.value));
  }
  return values;
}
