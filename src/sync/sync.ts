import { asPgdittoError, type PgdittoError } from "../errors.ts";
import { EVENT_FORMAT } from "../events.ts";
import { buildPlan, type Plan } from "../plan/build-plan.ts";
import { withFacts } from "../postgres/server-error.ts";
import { majorOf } from "../postgres/version.ts";
import { stagingName } from "../target/names.ts";
import { holdTarget } from "../target/run-lock.ts";
import { plural } from "../util/format.ts";
import { cancelled } from "../util/wait.ts";
import { warnOfLedger } from "./ledger/warn-of-ledger.ts";
import { dropLeftoversOfTarget, dropStaging } from "./clean-up.ts";
import { confirmTarget } from "./confirm-target.ts";
import { copyByTasks } from "./copy/copy-by-tasks.ts";
import { copyByTemplate } from "./copy/copy-by-template.ts";
import { findResumable } from "./resume/find-resumable.ts";
import { isSilence } from "./watch/heartbeat.ts";
import { staysBehind, tellingWhatStays } from "./resume/keep-staging.ts";
import type { Staging } from "./copy/make-staging.ts";
import { open, type Opened, summarize } from "./open.ts";
import { withOwnSql } from "./own-sql-steps.ts";
import { preflight, refusal } from "./preflight/preflight.ts";
import { readSource } from "./read-source.ts";
import { reload } from "./reload/reload.ts";
import type { SyncResult } from "./result.ts";
import { info, type Run, stage, warn, warnOfConfig } from "./run.ts";
import { type Memory, startOver } from "./start-over.ts";
import { summarizeError } from "./summarize-error.ts";
import { swapIn } from "./swap-in.ts";
import { takeOver } from "./resume/take-over.ts";
import { PHASES } from "./copy/task-events.ts";
import { VERSION } from "./version.ts";
import { asSpaceError } from "./watch/watch-space.ts";
import { underWatch } from "./watch/under-watch.ts";

/** One run from the first connection to the swap, told in events; the first cause of a failure is thrown. */
export async function runSync(asked: Run): Promise<SyncResult> {
  const started = performance.now();
  const run = await withOwnSql(asked);
  const warnings: string[] = [];
  const counted: Run = {
    ...run,
    emit: (event) => {
      if (event.type === "message" && event.level === "warning") warnings.push(event.message);
      run.emit(event);
    },
  };
  const elapsed = (): number => Math.round(performance.now() - started);
  try {
    begin(counted);
    const done = await underWatch(counted, (watched) =>
      startOver(watched, (memory) => (counted.config.mode === "truncate" ? reload(watched, memory) : copyAndSwap(watched, memory))),
    );
    const result: SyncResult = { run: run.id, ...done, ms: elapsed(), warnings };
    for (const advice of result.advice) run.emit({ type: "advice", ...advice });
    const { tables, rows, bytes, ms, database, previous } = result;
    run.emit({ type: "run:done", tables: tables.length, rows, bytes, ms, warnings: warnings.length, database, previous });
    return result;
  } catch (error) {
    const failure = asPgdittoError(error);
    run.emit({
      type: "run:failed",
      error: summarizeError(failure),
      exitCode: failure.exitCode,
      ms: elapsed(),
      obstacles: failure.obstacles,
      differences: failure.differences,
    });
    throw failure;
  }
}

function begin(run: Run): void {
  const { config } = run;
  run.emit({
    type: "run:started",
    format: EVENT_FORMAT,
    version: VERSION,
    source: summarize(config.source),
    target: summarize(config.target),
    mode: config.mode,
    strategy: config.strategy,
    jobs: config.jobs,
    batchSize: config.batchSize,
    connections: config.jobs * config.batchSize,
  });
  warnOfConfig(run);
}

type Done = Omit<SyncResult, "run" | "ms" | "warnings">;

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
    const { regained: again, ...done } =
      config.strategy === "template"
        ? await copyByTemplate(run, opened, plan, contents, staging)
        : await copyByTasks(run, opened, plan, contents, { staging, abilities: found.abilities });
    await using regained = again;
    const previous = await swapIn(run, { control: regained ?? opened.control, existing: opened.existing }, plan, staging.name);
    return { ...done, database: config.target.database, previous, snapshot: contents.snapshot };
  } catch (error) {
    memory.targetDropped = staging.targetDropped;
    // what fails when the run is given up does so because of that
    const cause = run.signal.aborted ? cancelled(run.signal) : asSpaceError(asPgdittoError(error));
    const failure = staging.targetDropped ? afterRecreate(cause, config.target.database) : cause;
    if (staysBehind(run, staging, failure)) throw tellingWhatStays(failure, staging);
    await stage(run, "drop-staging", () => dropStaging(run, opened.control, staging.name, isSilence(failure) && failure.side === "target"));
    throw failure;
  }
}

function warnOfOlderTarget(run: Run, opened: Opened): void {
  if (majorOf(opened.control.serverVersion) >= majorOf(opened.source.serverVersion)) return;
  warn(
    run,
    "older-target",
    "The target's server is older than the source's: what it does not know will be named, and nothing is swapped then.",
  );
}

/** What the user asked to leave out is said in the log too: whoever reads it later did not type the command. */
function tellLeftOut(run: Run, plan: Plan): void {
  const extensions = plan.skipped.filter((entry) => entry.type === "EXTENSION").map((entry) => entry.name);
  if (extensions.length > 0) info(run, "skipped-extension", `Left out (--skip-extension): ${extensions.join(", ")}.`);
  if (plan.unselected.length > 0)
    info(run, "rows-left-out", `Rows of ${plural(plan.unselected.length, "table")} are left out: not selected.`);
}

/** `--mode recreate` gave the old database up before: no hint may say that it is still there. */
function afterRecreate(error: PgdittoError, database: string): PgdittoError {
  const hint = (error.hint ?? "").replace(/\s*(The (live )?target is as it was|Nothing was swapped)[^.]*\./gi, "").trim();
  return withFacts(error, {
    hint: `--mode recreate had dropped ${database} before; it does not exist now. Run again.${hint === "" ? "" : ` ${hint}`}`,
  });
}
