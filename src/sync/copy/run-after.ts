import type { Plan } from "../../plan/build-plan.ts";
import { chain } from "../../plan/sql-tasks.ts";
import { stepsOf } from "../own-sql-steps.ts";
import type { Run } from "../run.ts";
import { runPlan } from "./run-plan.ts";
import type { Workers } from "./workers.ts";

/** The user's SQL of the stage `after`: what it changes, nobody compares with the source any more. */
export async function runAfter(run: Run, plan: Plan, workers: Workers): Promise<void> {
  const tasks = chain(stepsOf(run, "after"), []);
  if (tasks.length === 0) return;
  // nothing of it is noted: a run that fails now begins anew
  await runPlan(run, { ...plan, tasks }, workers, { encoding: "UTF8", statistics: undefined, journal: undefined });
}
