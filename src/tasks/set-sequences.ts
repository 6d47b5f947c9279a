import type { SequencesTask, SequenceValue } from "../plan/task.ts";
import type { SequenceInfo } from "../catalog/relations.ts";
import { quoteLiteral, quoteQualified } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { inSlices } from "../util/group-by.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";

/** Gives every sequence the value it has on the source now; `is_called` decides whether the next one is this or the one after. */
export async function setSequences(task: SequencesTask, context: Pick<TaskContext, "source" | "target" | "signal">): Promise<TaskResult> {
  const target = await context.target();
  const values = valuesOf(task) ?? (await readSequenceValues(await context.source(), task.sequences, context.signal));
  for (const slice of inSlices(values, 200)) {
    const sets = slice.map(
      ({ schema, name, value, called }) =>
        `SELECT pg_catalog.setval(${quoteLiteral(quoteQualified(schema, name))}, ${BigInt(value)}, ${called})`,
    );
    await target.run(sets.join("; "), context.signal);
  }
  return NOTHING_MOVED;
}

/** Those that are in a dump folder, of the sequences that are to be set. */
function valuesOf({ sequences, values }: SequencesTask): SequenceValue[] | undefined {
  const wanted = new Set(sequences.map(({ schema, name }) => quoteQualified(schema, name)));
  return values?.filter(({ schema, name }) => wanted.has(quoteQualified(schema, name)));
}

export async function readSequenceValues(
  source: Session,
  sequences: readonly SequenceInfo[],
  signal: AbortSignal,
): Promise<SequenceValue[]> {
  const values: SequenceValue[] = [];
  for (const slice of inSlices(sequences, 200)) {
    const reads = slice.map(
      ({ schema, name }, i) => `SELECT ${i} AS i, last_value::text AS value, is_called AS called FROM ${quoteQualified(schema, name)}`,
    );
    const rows = await source.query<{ i: number; value: string; called: boolean }>(reads.join(" UNION ALL "), [], signal);
    for (const { i, value, called } of rows) {
      const sequence = slice[i];
      if (sequence) values.push({ ...sequence, value, called });
    }
  }
  return values;
}
