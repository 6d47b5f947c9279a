import type { SyncEventBody } from "../events.ts";
import { buildPlan } from "../plan/build-plan.ts";
import type { Session } from "../postgres/session.ts";
import { majorOf } from "../postgres/version.ts";
import { stagingName } from "../target/names.ts";
import { holdTarget } from "../target/run-lock.ts";
import { warnOfLedger } from "./ledger/warn-of-ledger.ts";
import { dropLeftoversOfTarget, dropStaging } from "./clean-up.ts";
import { confirmTarget } from "./confirm-target.ts";
import { copyByTasks } from "./copy/copy-by-tasks.ts";
import { copyByTemplate } from "./copy/copy-by-template.ts";
import { findResumable } from "./resume/find-resumable.ts";
import { type Done, fillAndSwap } from "./fill-and-swap.ts";
import type { Staging } from "./copy/make-staging.ts";
import { open, summarize } from "./open.ts";
import { withOwnSql } from "./own-sql-steps.ts";
import { preflight, refusal } from "./preflight/preflight.ts";
import { readSource } from "./read-source.ts";
import { reload } from "./reload/reload.ts";
import type { SyncResult } from "./result.ts";
import { type Run, stage, warn } from "./run.ts";
import { type Memory, startOver } from "./start-over.ts";
import { takeOver } from "./resume/take-over.ts";
import { tellLeftOut } from "./tell-left-out.ts";
import { begin, tellRun } from "./tell-run.ts";
import { PHASES } from "./copy/task-events.ts";
import { underWatch } from "./watch/under-watch.ts";

/** One run from the first connection to the swap, told in events; the first cause of a failure is thrown. */
export async function runSync(asked: Run): Promise<SyncResult> {
  const run = await withOwnSql(asked);
  return await tellRun(
    run,
    async (counted) => {
      begin(counted);
      const done = await underWatch(counted, (watched) =>
        startOver(watched, (memory) => (run.config.mode === "truncate" ? reload(watched, memory) : copyAndSwap(watched, memory))),
      );
      for (const advice of done.advice) run.emit({ type: "advice", ...advice });
      return done;
    },
    tellDone,
  );
}

/** The last event of a run that has made a copy. */
export function tellDone({
  tables,
  rows,
  bytes,
  ms,
  warnings,
  database,
  previous,
}: SyncResult): Extract<SyncEventBody, { type: "run:done" }> {
  return { type: "run:done", tables: tables.length, rows, bytes, ms, warnings: warnings.length, database, previous };
}

async function copyAndSwap(run: Run, memory: Memory): Promise<Done> {
  const { config } = run;
  await using opened = await stage(run, "connect", () => open(run, memory.resume));
  run.emit({ type: "run:connected", source: summarize(config.source, opened.source), target: summarize(config.target, opened.control) });
  await holdTarget(opened.control, config.target.database, run.id);
  const found = await stage(run, "preflight", () => preflight(run, opened));
  if (found.obstacles.length > 0) throw refusal(found.obstacles);
  warnOfOlderTarget(run, opened);
  await warnOfLedger(run, opened.source);
  await stage(run, "confirm", () => confirmTarget(run, opened));
  const earlier = await stage(run, "leftovers", async () => {
    const resumable = memory.resume ? await findResumable(run, opened) : undefined;
    await dropLeftoversOfTarget(run, opened.control, resumable?.staging);
    return resumable;
  });

  run.emit({ type: "phase:started", phase: 1, of: 4, name: PHASES[1] });
  const contents = await readSource(run, opened, found);
  const taken = earlier && (await stage(run, "resume", () => takeOver(run, opened, contents, earlier)));
  if (earlier && !taken) await stage(run, "drop-staging", () => dropStaging(run, opened.control, earlier.staging));
  memory.targetDropped ||= taken !== undefined && earlier?.facts.targetDropped === true;
  const plan = taken?.plan ?? (await stage(run, "plan", () => buildPlan({ ...contents, kept: new Map() })));
  tellLeftOut(run, plan);
  const staging: Staging = {
    name: taken && earlier ? earlier.staging : stagingName(config.target.database, run.id),
    exists: taken !== undefined,
    journal: taken?.journal,
    targetDropped: memory.targetDropped,
  };
  try {
    return await fillAndSwap(run, opened, { plan, staging, snapshot: contents.snapshot }, () =>
      config.strategy === "template"
        ? copyByTemplate(run, opened, plan, contents, staging)
        : copyByTasks(run, opened, plan, contents, { staging, abilities: found.abilities }),
    );
  } catch (error) {
    memory.targetDropped = staging.targetDropped;
    throw error;
  }
}

export function warnOfOlderTarget(run: Run, opened: { control: Session; source: Pick<Session, "serverVersion"> }): void {
  if (majorOf(opened.control.serverVersion) >= majorOf(opened.source.serverVersion)) return;
  warn(
    run,
    "older-target",
    "The target's server is older than the source's: what it does not know will be named, and nothing is swapped then.",
  );
}
