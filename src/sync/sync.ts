import { asPgdittoError, PgdittoError } from "../errors.ts";
import { type Advice, EVENT_FORMAT } from "../events.ts";
import { buildPlan, type Plan } from "../plan/build-plan.ts";
import { connect } from "../postgres/connect.ts";
import { renewable } from "../postgres/renewable.ts";
import type { Session } from "../postgres/session.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { TargetAbilities } from "../target/abilities.ts";
import { loadingSettings } from "../target/loading-settings.ts";
import { stagingName } from "../target/names.ts";
import { holdTarget } from "../target/run-lock.ts";
import { majorOf } from "../schema/pg-dump/pg-dump-program.ts";
import { createStaging, dropDatabase } from "../target/staging.ts";
import { dropTemplateObjects, readMissingTemplateObjects } from "../target/template-objects.ts";
import { disposables } from "../util/disposables.ts";
import { dropLeftoversOfTarget, dropStaging } from "./clean-up.ts";
import { confirmTarget } from "./confirm-target.ts";
import { countAnew } from "./count-anew.ts";
import { heartbeat, isSilentTarget } from "./heartbeat.ts";
import { applicationName, open, type Opened, summarize } from "./open.ts";
import { preflight, refusal } from "./preflight.ts";
import { readSource, type SourceContents } from "./read-source.ts";
import { answers, regainControl } from "./regain-control.ts";
import type { SyncResult } from "./result.ts";
import { createJournal } from "../tasks/journal.ts";
import { plural } from "../util/format.ts";
import { groupBy } from "../util/group-by.ts";
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
  const staging = stagingName(config.target.database, run.id);
  const given = { dropped: false };
  try {
    const done = await fillAndVerify(run, opened, plan, contents, { staging, abilities: found.abilities, given });
    await using regained = done.regained;
    const previous = await swapIn(run, { control: regained ?? opened.control, existing: opened.existing }, plan, staging);
    const { advice } = done;
    return { ...summarizeCopies(plan, done), database: config.target.database, previous, snapshot: contents.snapshot, advice };
  } catch (error) {
    await stage(run, "drop-staging", () => dropStaging(run, opened.control, staging, isSilentTarget(error)));
    throw given.dropped ? afterRecreate(asPgdittoError(error), config.target.database) : error;
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

async function makeStaging(run: Run, opened: Opened, plan: Plan, staging: string, given: { dropped: boolean }): Promise<void> {
  const { config, machine } = run;
  if (!plan.database) throw new PgdittoError("dump", "pg_dump wrote no entry for the database itself.");
  if (config.mode === "recreate" && opened.existing) {
    await stage(run, "drop-old", () => dropDatabase(opened.control, config.target.database));
    given.dropped = true;
    run.emit({ type: "cleanup", object: config.target.database, removed: true, reason: "--mode recreate drops the target first" });
  }
  const note = { target: config.target.database, run: run.id, host: machine.hostname, pid: machine.pid, started: new Date().toISOString() };
  const settings = { entry: plan.database, sourceName: config.source.database, note, signal: run.signal };
  await stage(run, "staging", () => createStaging(opened.control, staging, settings));
  run.emit({ type: "staging:created", database: staging });
}

async function fillAndVerify(
  run: Run,
  opened: Opened,
  plan: Plan,
  contents: SourceContents,
  options: { staging: string; abilities: TargetAbilities; given: { dropped: boolean } },
): Promise<RunPlanResult & { regained: Session | undefined; advice: readonly Advice[] }> {
  const { snapshot, pgDump } = contents;
  const count = Math.min(run.config.jobs * run.config.batchSize, plan.tasks.length);
  const settings = loadingSettings(options.abilities, count);
  const { staging: database } = options;
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: database, settings, count, snapshot, tables: plan.copied }),
  );
  run.emit({ type: "plan:ready", tables: plan.copied.length, bytes: plan.bytes, tasks: plan.tasks.length, pgDump, snapshot });
  await makeStaging(run, opened, plan, options.staging, options.given);
  // idle as long as the copy takes, so that it may be lost when it is needed
  await using staging = renewable(() =>
    connect(
      { ...run.config.target, database: options.staging },
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
  const regained = (await answers(opened.control)) ? undefined : spare.use(await regainControl(run, options.staging));
  const counts = regained ? await countAnew(run, plan, { source, target: await staging.get() }) : done.counts;
  const copy = await staging.get();
  await stage(run, "verify", () => verifyCopy(run, { plan, counts, source, staging: copy, leftOut, kept }));
  spare.release();
  return { ...done, regained, advice };
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
