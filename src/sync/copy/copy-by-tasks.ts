import { PgdittoError } from "../../errors.ts";
import type { Plan } from "../../plan/build-plan.ts";
import type { Session } from "../../postgres/session.ts";
import { renewable } from "../../postgres/renewable.ts";
import type { TargetAbilities } from "../../target/abilities.ts";
import { loadingSettings } from "../../target/loading-settings.ts";
import { createStaging } from "../../target/staging.ts";
import { dropTemplateObjects, readMissingTemplateObjects, type TemplateObject } from "../../target/template-objects.ts";
import { disposables } from "../../util/disposables.ts";
import { groupBy } from "../../util/group-by.ts";
import { readInventory } from "../../verify/inventory.ts";
import { beginJournal } from "../resume/begin-journal.ts";
import type { Copied } from "./copied.ts";
import { countAnew } from "../compare/count-anew.ts";
import { fitWorkers } from "../preflight/fit-workers.ts";
import { guardRun } from "../watch/guard-run.ts";
import { makeStaging, type Staging } from "./make-staging.ts";
import { type Opened, openStaging } from "../open.ts";
import type { SourceContents } from "../read-source.ts";
import { answers, regainControl } from "./regain-control.ts";
import type { SyncResult } from "../result.ts";
import { stepsOf } from "../own-sql-steps.ts";
import { type Run, stage, warn } from "../run.ts";
import { runSteps } from "./run-steps.ts";
import { runPlan, type RunPlanResult } from "./run-plan.ts";
import { watchSettings } from "./settings-advice.ts";
import { sourceStatistics } from "./source-statistics.ts";
import { verifyCopy } from "../compare/verify-copy.ts";
import { openWorkers } from "./workers.ts";
import { writeWal } from "./write-wal.ts";

/**
 * Fills the staging database by the tasks of the plan, and proves it: schema by pg_dump, rows by COPY. One that an earlier run has begun is
 * filled up.
 */
export async function copyByTasks(
  run: Run,
  opened: Opened,
  plan: Plan,
  contents: SourceContents,
  options: { staging: Staging; abilities: TargetAbilities },
): Promise<Copied> {
  const { snapshot, pgDump } = contents;
  const { count, spare: room } = await fitWorkers(run, opened, Math.min(run.config.jobs * run.config.batchSize, plan.tasks.length));
  const settings = loadingSettings(options.abilities, count);
  const database = options.staging.name;
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: database, settings, count, snapshot, tables: plan.copied }),
  );
  run.emit({ type: "plan:ready", tables: plan.copied.length, bytes: plan.bytes, tasks: plan.tasks.length, pgDump, snapshot });
  if (!options.staging.exists)
    await makeStaging(run, opened, plan, options.staging, "staging", (settings) => createStaging(opened.control, database, settings));
  // idle as long as the copy takes, so that it may be lost when it is needed
  await using staging = renewable(() => openStaging(run, database, "verify"));
  const kept = await dropWhatSourceLacks(run, await staging.get(), await readMissingTemplateObjects(opened.source));
  const journal =
    options.staging.journal ?? (await beginJournal(run, opened, contents, { staging: options.staging, session: await staging.get() }));
  const leftOut = partialKeys(plan);
  const [first] = workers.list;
  // what a worker's session has is what its tasks have
  const advise = await watchSettings(run, first?.target.get ?? staging.get);
  const { encoding } = opened.sourceIdentity;
  using guard = await guardRun(run, opened, database);
  // its rows are not the source's any more, and statistics hold values of those
  const altered = stepsOf(run, "after-data").length > 0;
  const statistics = room && !altered ? sourceStatistics(run, opened, contents, plan) : undefined;
  const { signal, pace, builds } = guard;
  const onward = { encoding, statistics, journal, pace, builds };
  const done = await stage(
    run,
    "tasks",
    async () => {
      await using _ahead = writeWal(staging, plan.bytes);
      return await runPlan({ ...run, signal }, plan, workers, onward);
    },
    { tasks: plan.tasks.length },
  );
  await guard.settle();
  options.staging.journal = undefined; // the last task has dropped it
  const advice = await advise(plan, done);
  // the snapshot outlives the session that exported it in every session that joined it
  const source = opened.source.alive || !first ? opened.source : await first.source.get();
  await using spare = disposables();
  const regained = (await answers(opened.control)) ? undefined : spare.use(await regainControl(run, database));
  if (regained && altered) throw lostWhenAltered(database);
  const counts = regained
    ? await countAnew(run, plan, { source: async () => source, target: await staging.get() }, done.copied)
    : done.counts;
  const copy = await staging.get();
  const inventory = (): ReturnType<typeof readInventory> => readInventory(source, run.signal);
  const checksums = contents.rowHash && { rowHash: contents.rowHash, inSnapshot: first ? await first.source.get() : source };
  const hint = "The live target is as it was. If the source's schema changed during the run, run again; otherwise report this.";
  await stage(run, "verify", () =>
    verifyCopy({ ...run, signal }, { plan, counts, source: inventory, staging: copy, checksums, leftOut, kept, hint }),
  );
  await runSteps({ ...run, signal }, plan, workers, "after");
  spare.release();
  return { ...summarizeCopies(plan, done), regained, advice };
}

/** Rows are counted again when a server may have crashed; those that the user's SQL has changed since could not be. Outside of tasks: the run starts over. */
export function lostWhenAltered(database: string): PgdittoError {
  return new PgdittoError(
    "server",
    "the target was away for a while, after own SQL of the stage after-data had been at work, so its rows cannot be counted again",
    {
      object: database,
      side: "target",
      sqlstate: "08006",
    },
  );
}

/** What every new database has, and the source has not; returns what could not be dropped. */
export async function dropWhatSourceLacks(run: Run, staging: Session, lacking: readonly TemplateObject[]): Promise<TemplateObject[]> {
  const kept = await dropTemplateObjects(staging, lacking);
  for (const { kind, name } of kept) {
    warn(run, "template-object", `The source has no ${kind} ${name}; the target keeps it, because its role may not drop it.`);
  }
  return kept;
}

/** Foreign keys by OID that refer to rows which were not selected. */
export function partialKeys(plan: Plan): Set<number> {
  return new Set(plan.tasks.flatMap((task) => (task.kind === "foreign-key" && task.partial ? [task.entry.oid] : [])));
}

/** What was moved, by table. */
export function summarizeCopies(plan: Plan, done: RunPlanResult): Pick<SyncResult, "tables" | "rows" | "bytes"> {
  const copies = groupBy(plan.copies, (copy) => copy.table);
  const tables = [...copies].map(([{ schema, name }, ofTable]) => {
    const results = ofTable.flatMap((copy) => done.copied.get(copy.id) ?? []);
    const sum = (value: (result: (typeof results)[number]) => number): number => results.reduce((total, one) => total + value(one), 0);
    const format = ofTable[0]?.format ?? "text";
    return { schema, name, rows: sum(({ rows }) => rows), bytes: sum(({ bytes }) => bytes), ms: Math.round(sum(({ ms }) => ms)), format };
  });
  return { tables, rows: tables.reduce((sum, table) => sum + table.rows, 0), bytes: tables.reduce((sum, table) => sum + table.bytes, 0) };
}
