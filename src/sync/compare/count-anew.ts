import type { Plan } from "../../plan/build-plan.ts";
import type { Session } from "../../postgres/session.ts";
import { countRows } from "../../tasks/count-rows.ts";
import { addCounts, type RowCounts } from "../../tasks/row-counts.ts";
import { setSequences } from "../../tasks/set-sequences.ts";
import type { RunPlanResult } from "../copy/run-plan.ts";
import { info, type Run } from "../run.ts";

/**
 * For a target that was lost for a while. Its server may have crashed, and then unlogged tables are empty, although they were counted
 * before, and what somebody had not waited for on the disk is gone. What tasks have done should be there, and is looked at: all rows are counted again, and the sequences set again. From here to the swap there is one session: if the server crashes again, the run fails.
 */
export async function countAnew(
  run: Run,
  plan: Plan,
  ends: { source: () => Promise<Session>; target: Session },
  copied: RunPlanResult["copied"] = new Map(),
): Promise<ReadonlyMap<number, RowCounts>> {
  info(run, "target-was-lost", "The target was lost for a while and is back; its server may have crashed, so all rows are counted again.");
  const counts = new Map<number, RowCounts>();
  const context = {
    source: ends.source,
    target: async () => ends.target,
    signal: run.signal,
    rowsSent: (id: string) => copied.get(id)?.rows,
    recordCount: (table: number, rows: RowCounts) => counts.set(table, addCounts(counts.get(table), rows)),
  };
  for (const task of plan.tasks) {
    if (task.kind === "count") await countRows(task, context);
    if (task.kind === "sequences") await setSequences(task, context);
  }
  return counts;
}
