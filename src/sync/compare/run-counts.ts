import type { TableInfo } from "../../catalog/tables.ts";
import type { Plan } from "../../plan/build-plan.ts";
import type { CountTask } from "../../plan/task.ts";
import type { RowCounts } from "../../tasks/row-counts.ts";
import type { Run } from "../run.ts";
import { runPlan } from "../copy/run-plan.ts";
import type { Workers } from "../copy/workers.ts";

/** Runs tasks that count, and nothing else. */
export async function runCounts(
  run: Run,
  tables: readonly TableInfo[],
  tasks: readonly CountTask[],
  workers: Workers,
): Promise<ReadonlyMap<number, RowCounts>> {
  const plan: Plan = {
    tasks,
    database: undefined,
    databaseProperties: [],
    tables,
    copies: [],
    copied: tables,
    unselected: [],
    skipped: [],
    bytes: 0,
  };
  // nothing is copied, so that neither encoding nor statistics matter, and nothing is noted
  const { counts } = await runPlan(run, plan, workers, { encoding: "UTF8", statistics: undefined, journal: undefined });
  return counts;
}
