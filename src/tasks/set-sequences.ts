import type { SequencesTask } from "../plan/task.ts";
import { quoteLiteral, quoteQualified } from "../postgres/quote.ts";
import { inSlices } from "../util/group-by.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";

/** Gives every sequence the value it has on the source now; `is_called` decides whether the next one is this or the one after. */
export async function setSequences(task: SequencesTask, context: Pick<TaskContext, "source" | "target" | "signal">): Promise<TaskResult> {
  const [source, target] = await Promise.all([context.source(), context.target()]);
  for (const slice of inSlices(task.sequences, 200)) {
    const reads = slice.map(
      ({ schema, name }, i) => `SELECT ${i} AS i, last_value::text AS value, is_called AS called FROM ${quoteQualified(schema, name)}`,
    );
    const rows = await source.query<{ i: number; value: string; called: boolean }>(reads.join(" UNION ALL "), [], context.signal);
    const sets = rows.map((row) => {
      const sequence = slice[row.i];
      return sequence
        ? `SELECT pg_catalog.setval(${quoteLiteral(quoteQualified(sequence.schema, sequence.name))}, ${row.value}, ${row.called})`
        : "";
    });
    await target.run(sets.join("; "), context.signal);
  }
  return NOTHING_MOVED;
}
