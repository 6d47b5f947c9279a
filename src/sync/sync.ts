import { asPgdittoError, type PgdittoError } from "../errors.ts";
import { EVENT_FORMAT } from "../events.ts";
import { buildPlan, type Plan } from "../plan/build-plan.ts";
import { connect } from "../postgres/connect.ts";
import { renewable } from "../postgres/renewable.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { TargetAbilities } from "../target/abilities.ts";
import { loadingSettings } from "../target/loading-settings.ts";
import { stagingName } from "../target/names.ts";
import { holdTarget } from "../target/run-lock.ts";
import { majorOf } from "../schema/pg-dump/pg-dump-program.ts";
import { createStaging } from "../target/staging.ts";
import { dropTemplateObjects, readMissingTemplateObjects } from "../target/template-objects.ts";
import { disposables } from "../util/disposables.ts";
import { dropLeftoversOfTarget, dropStaging } from "./clean-up.ts";
import { confirmTarget } from "./confirm-target.ts";
import type { Copied } from "./copied.ts";
import { copyByTemplate } from "./copy-by-template.ts";
import { countAnew } from "./count-anew.ts";
import { heartbeat, isSilentTarget } from "./heartbeat.ts";
import { makeStaging, type Staging } from "./make-staging.ts";
import { applicationName, open, type Opened, summarize } from "./open.ts";
import { preflight, refusal } from "./preflight.ts";
import { readSource, type SourceContents } from "./read-source.ts";
import { answers, regainControl } from "./regain-control.ts";
import type { SyncResult } from "./result.ts";
import { createJournal } from "../tasks/journal.ts";
import { plural } from "../util/format.ts";
import { groupBy } from "../util/group-by.ts";
import { readInventory } from "../verify/inventory.ts";
import { info, type Run, stage, warn, warnOfConfig } from "./run.ts";
import { runPlan, type RunPlanResult } from "./run-plan.ts";
import { sourceStatistics } from "./source-statistics.ts";
import { watchSettings } from "./settings-advice.ts";
import { summarizeError } from "./summarize-error.ts";
import { swapIn } from "./swap-in.ts";
import { PHASES } from "./task-events.ts";
import { VERSION } from "./version.ts";
import { verifyCopy } from "./verify-copy.ts";
import { openWorkers } from "./workers.ts";

/** One run from the first connection to the swap, told in events; the first cause of a failure is thrown. */
export async function runSync(run: Run): Promise<SyncResult> {
  const started = performance.now();
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
    const done = await copyAndSwap(counted);
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

async function copyAndSwap(run: Run): Promise<Omit<SyncResult, "run" | "ms" | "warnings">> {
  const { config } = run;
  await using opened = await stage(run, "connect", () => open(run));
  run.emit({ type: "run:connected", source: summarize(config.source, opened.source), target: summarize(config.target, opened.control) });
  await holdTarget(opened.control, config.target.database, run.id);
  const found = await stage(run, "preflight", () => preflight(run, opened));
  if (found.obstacles.length > 0) throw refusal(found.obstacles);
  if (majorOf(opened.control.serverVersion) < majorOf(opened.source.serverVersion)) {
    warn(
      run,
      "older-target",
      "The target's server is older than the source's: what it does not know will be named, and nothing is swapped then.",
    );
  }
  await stage(run, "confirm", () => confirmTarget(run, opened));
  await stage(run, "leftovers", () => dropLeftoversOfTarget(run, opened.control));

  run.emit({ type: "phase:started", phase: 1, of: 4, name: PHASES[1] });
  const contents = await readSource(run, opened, found);
  const plan = await stage(run, "plan", () => buildPlan(contents));
  tellLeftOut(run, plan);
  const staging: Staging = { name: stagingName(config.target.database, run.id), targetDropped: false };
  try {
    const { regained: again, ...done } =
      config.strategy === "template"
        ? await copyByTemplate(run, opened, plan, contents, staging)
        : await copyByTasks(run, opened, plan, contents, { staging, abilities: found.abilities });
    await using regained = again;
    const previous = await swapIn(run, { control: regained ?? opened.control, existing: opened.existing }, plan, staging.name);
    return { ...done, database: config.target.database, previous, snapshot: contents.snapshot };
  } catch (error) {
    await stage(run, "drop-staging", () => dropStaging(run, opened.control, staging.name, isSilentTarget(error)));
    throw staging.targetDropped ? afterRecreate(asPgdittoError(error), config.target.database) : error;
  }
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

async function copyByTasks(
  run: Run,
  opened: Opened,
  plan: Plan,
  contents: SourceContents,
  options: { staging: Staging; abilities: TargetAbilities },
): Promise<Copied> {
  const { snapshot, pgDump } = contents;
  const count = Math.min(run.config.jobs * run.config.batchSize, plan.tasks.length);
  const settings = loadingSettings(options.abilities, count);
  const database = options.staging.name;
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: database, settings, count, snapshot, tables: plan.copied }),
  );
  run.emit({ type: "plan:ready", tables: plan.copied.length, bytes: plan.bytes, tasks: plan.tasks.length, pgDump, snapshot });
  await makeStaging(run, opened, plan, options.staging, "staging", (settings) => createStaging(opened.control, database, settings));
  // idle as long as the copy takes, so that it may be lost when it is needed
  await using staging = renewable(() =>
    connect(
      { ...run.config.target, database },
      { applicationName: applicationName(run, "verify"), signal: run.signal, attempts: run.config.retryCount, patient: true },
    ),
  );
  const kept = await dropTemplateObjects(await staging.get(), await readMissingTemplateObjects(opened.source));
  for (const { kind, name } of kept) {
    warn(run, "template-object", `The source has no ${kind} ${name}; the target keeps it, because its role may not drop it.`);
  }
  await createJournal(await staging.get(), contents.journalSchema);
  const leftOut = new Set(plan.tasks.flatMap((task) => (task.kind === "foreign-key" && task.partial ? [task.entry.oid] : [])));
  const [first] = workers.list;
  // what a worker's session has is what its tasks have
  const advise = await watchSettings(run, first?.target.get ?? staging.get);
  const { encoding } = opened.sourceIdentity;
  using heart = heartbeat(run, [opened.source, opened.control]);
  const statistics = sourceStatistics(run, opened, contents, plan);
  const done = await stage(run, "tasks", () => runPlan({ ...run, signal: heart.signal }, plan, workers, { encoding, statistics }));
  const advice = await advise(plan, done);
  // the snapshot outlives the session that exported it in every session that joined it
  const source = opened.source.alive || !first ? opened.source : await first.source.get();
  await using spare = disposables();
  const regained = (await answers(opened.control)) ? undefined : spare.use(await regainControl(run, database));
  const counts = regained ? await countAnew(run, plan, { source, target: await staging.get() }) : done.counts;
  const copy = await staging.get();
  const inventory = (): ReturnType<typeof readInventory> => readInventory(source, run.signal);
  const hint = "The live target is as it was. If the source's schema changed during the run, run again; otherwise report this.";
  await stage(run, "verify", () => verifyCopy(run, { plan, counts, source: inventory, staging: copy, leftOut, kept, hint }));
  spare.release();
  return { ...summarizeCopies(plan, done), regained, advice };
}

function summarizeCopies(plan: Plan, done: RunPlanResult): Pick<SyncResult, "tables" | "rows" | "bytes"> {
  const copies = groupBy(plan.copies, (copy) => copy.table);
  const tables = [...copies].map(([{ schema, name }, ofTable]) => {
    const results = ofTable.flatMap((copy) => done.copied.get(copy.id) ?? []);
    const sum = (value: (result: (typeof results)[number]) => number): number => results.reduce((total, one) => total + value(one), 0);
    const format = ofTable[0]?.format ?? "text";
    return { schema, name, rows: sum(({ rows }) => rows), bytes: sum(({ bytes }) => bytes), ms: Math.round(sum(({ ms }) => ms)), format };
  });
  return { tables, rows: tables.reduce((sum, table) => sum + table.rows, 0), bytes: tables.reduce((sum, table) => sum + table.bytes, 0) };
}
