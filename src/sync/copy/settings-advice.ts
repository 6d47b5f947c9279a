import type { Advice } from "../../events.ts";
import type { Plan } from "../../plan/build-plan.ts";
import type { Session } from "../../postgres/session.ts";
import { adviseSettings, SMALL } from "../../target/advice.ts";
import { readLargestIndex, readTargetLoad } from "../../target/load.ts";
import { withinMs } from "../../util/wait.ts";
import type { RunPlanResult } from "./run-plan.ts";
import type { Run } from "../run.ts";

/** Milliseconds that a reading may take. Advice is a courtesy: without an answer, or without the privilege, there is none. */
const READING_MS = 5000;

/** Reads the target's counters, and gives a function that reads them again when the tasks have run and says what it makes of both. */
export async function watchSettings(
  run: Run,
  session: () => Promise<Session>,
): Promise<(plan: Plan, done: RunPlanResult) => Promise<readonly Advice[]>> {
  const read = <T>(reader: (session: Session, signal: AbortSignal) => Promise<T>): Promise<T | undefined> =>
    withinMs(
      READING_MS,
      session().then((open) => reader(open, run.signal)),
    );
  const before = await read(readTargetLoad);
  const started = performance.now();
  return async (plan, done) => {
    const ms = performance.now() - started;
    const bytes = [...done.copied.values()].reduce((sum, result) => sum + result.bytes, 0);
    if (!before || bytes < SMALL.bytes || ms < SMALL.ms) return [];
    const after = await read(readTargetLoad);
    const largest = await read(readLargestIndex);
    const tasks = plan.tasks.filter((task) => task.kind === "index" || task.kind === "constraint");
    const builds = tasks.map((task) => done.durations.get(task.id) ?? 0);
    const buildMs = builds.reduce((sum, one) => sum + one, 0);
    const longestBuildMs = builds.reduce((most, one) => Math.max(most, one), 0);
    const connections = Math.min(run.config.jobs * run.config.batchSize, builds.length);
    return after ? adviseSettings(before, after, { bytes, ms, buildMs, longestBuildMs, connections, largest }) : [];
  };
}
