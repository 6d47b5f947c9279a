import type { SqlStage } from "../../config/sql/stages.ts";
import type { Plan } from "../../plan/build-plan.ts";
import { chain } from "../../plan/sql-tasks.ts";
import { stepsOf } from "../own-sql-steps.ts";
import type { Run } from "../run.ts";
import { runPlan } from "./run-plan.ts";
import type { Workers } from "./workers.ts";

/** The user's SQL of a stage that is no part of the graph: behind the proof, and ahead of everything in a database that stays. */
export async function runSteps(run: Run, plan: Plan, workers: Workers, stage: SqlStage): Promise<void> {
  const tasks = chain(stepsOf(run, stage), []);
  if (tasks.length === 0) return;
  // nothing of it is noted: it has one attempt
  await runPlan(run, { ...plan, tasks }, workers, { encoding: "UTF8", statistics: undefined, journal: undefined });
}
