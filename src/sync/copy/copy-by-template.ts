import { readTableNames } from "../../catalog/tables.ts";
import type { Plan } from "../../plan/build-plan.ts";
import type { CountTask } from "../../plan/task.ts";
import { quoteQualified } from "../../postgres/quote.ts";
import { renewable } from "../../postgres/renewable.ts";
import { copyMethod, createFromTemplate } from "../../target/create-from-template.ts";
import { readSubscriptions } from "../../target/subscriptions.ts";
import { joinSides, type RowCounts } from "../../tasks/row-counts.ts";
import { disposables } from "../../util/disposables.ts";
import { formatDuration } from "../../util/format.ts";
import { readInventory } from "../../verify/inventory.ts";
import type { Copied } from "./copied.ts";
import { fitWorkers } from "../preflight/fit-workers.ts";
import { guardRun } from "../watch/guard-run.ts";
import { makeStaging, type Staging } from "./make-staging.ts";
import { openControl, type Opened, openStaging, ownNames } from "../open.ts";
import type { SourceContents } from "../read-source.ts";
import { answers, regainControl } from "./regain-control.ts";
import { stepsOf } from "../own-sql-steps.ts";
import { info, type Run, stage, warn } from "../run.ts";
import { runSteps } from "./run-steps.ts";
import { runCounts } from "../compare/run-counts.ts";
import { PHASES } from "./task-events.ts";
import { verifyCopy } from "../compare/verify-copy.ts";
import { openWorkers, type Workers } from "./workers.ts";

const HINT =
  "Somebody wrote to the source between the counting of its rows and the copying of its files, when no session of ours was there to hold it still. The live target is as it was. Keep writers away from the source and run again.";

/**
 * `--strategy template`: the server copies the source's files. The source's rows are counted in the snapshot, then every session of ours
 * leaves the source, because CREATE DATABASE allows none, and the copy is counted. Whoever wrote in between shows as a difference.
 */
export async function copyByTemplate(caller: Run, opened: Opened, plan: Plan, contents: SourceContents, staging: Staging): Promise<Copied> {
  // the control session is busy as long as the server copies; this one must not be in the source either
  await using watch = await openControl(caller, "watch", opened.sourceIdentity.name);
  using guard = await guardRun(caller, { ...opened, control: watch }, staging.name);
  const run: Run = { ...caller, signal: guard.signal };
  const tasks = plan.tasks.filter((task) => task.kind === "count");
  await tellWhatStays(run, opened);
  const { count } = await fitWorkers(
    run,
    opened,
    Math.min(run.config.jobs * run.config.batchSize, Math.max(tasks.length, stepsOf(run, "after").length)),
  );
  const { snapshot, pgDump } = contents;
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: staging.name, settings: "", count, snapshot, tables: plan.copied }),
  );
  const inventory = await readInventory(opened.source, run.signal);
  run.emit({ type: "plan:ready", tables: plan.copied.length, bytes: plan.bytes, tasks: 2 * tasks.length, pgDump, snapshot });
  run.emit({ type: "phase:started", phase: 2, of: 4, name: PHASES[2] });
  const there = await countSide(run, plan, workers, tasks, "source");
  await leaveSource(opened, workers);
  await makeStaging(run, opened, plan, staging, "template", (options) =>
    createFromTemplate(opened.control, staging.name, {
      ...options,
      template: opened.sourceIdentity,
      own: ownNames(run),
      attempts: run.config.retryCount,
      onBusy: (delayMs) =>
        info(run, "template-busy", `Somebody is connected to the source: another attempt to copy it in ${formatDuration(delayMs)}.`),
    }),
  );
  // idle as long as the counting takes, so that it may be lost when it is needed
  await using copy = renewable(() => openStaging(run, staging.name, "verify"));
  const arrived = countable(tasks, await readTableNames(await copy.get()));
  let here = await countSide(run, plan, workers, arrived, "target");
  await guard.settle();
  await using spare = disposables();
  const regained = (await answers(opened.control)) ? undefined : spare.use(await regainControl(run, staging.name));
  // its server may have crashed, which empties unlogged tables
  if (regained) here = await countSide(run, plan, workers, arrived, "target");
  const counts = new Map([...there].map(([table, rows]) => [table, joinSides(rows, here.get(table))]));
  const target = await copy.get();
  const source = async (): ReturnType<typeof readInventory> => inventory;
  // the snapshot is gone, so that a table that differs is all that can be named
  const checksums = contents.rowHash && { rowHash: contents.rowHash, inSnapshot: undefined };
  const options = { plan, counts, source, staging: target, checksums, leftOut: new Set<number>(), kept: [], hint: HINT };
  await stage(run, "verify", () => verifyCopy(run, options));
  await runSteps(run, plan, workers, "after");
  spare.release();
  return { ...summarizeCounts(plan, counts), regained, advice: [] };
}

/** One catalog holds the subscriptions of all databases, so they are in no database's files. */
async function tellWhatStays(run: Run, { control, sourceIdentity }: Opened): Promise<void> {
  const { name, bytes } = sourceIdentity;
  const method = copyMethod(bytes, control.serverVersion);
  info(run, "strategy-template", `The server copies the files of ${name} (${method}): until that is done, new sessions wait to enter it.`);
  const subscriptions = await readSubscriptions(control, name);
  if (subscriptions.length === 0) return;
  warn(
    run,
    "subscriptions-left",
    `--strategy template copies no subscriptions: ${subscriptions.map((subscription) => subscription.name).join(", ")}.`,
    "Create them in the copy if it needs any, each with a slot of its own.",
  );
}

/** The tasks that count, on one side and waiting for nothing. */
async function countSide(
  run: Run,
  plan: Plan,
  workers: Workers,
  tasks: readonly CountTask[],
  side: "source" | "target",
): Promise<ReadonlyMap<number, RowCounts>> {
  const oneSided = tasks.map((task): CountTask => ({ ...task, id: `${task.id}/${side}`, after: [], sides: [side] }));
  return await stage(run, "tasks", () => runCounts(run, plan.tables, oneSided, workers), { tasks: tasks.length });
}

/** Without tables that somebody dropped in between: they are told of as differences. */
function countable(tasks: readonly CountTask[], there: ReadonlyArray<{ schema: string; name: string }>): CountTask[] {
  const names = new Set(there.map(({ schema, name }) => quoteQualified(schema, name)));
  return tasks
    .map((task) => ({ ...task, tables: task.tables.filter(({ schema, name }) => names.has(quoteQualified(schema, name))) }))
    .filter(({ tables }) => tables.length > 0);
}

async function leaveSource({ source }: Opened, workers: Workers): Promise<void> {
  await Promise.all([source, ...workers.list.map((worker) => worker.source)].map((session) => session[Symbol.asyncDispose]()));
}

/** What COPY would have told: rows as counted, bytes as on the source's disk. */
export function summarizeCounts(
  plan: Plan,
  counts: ReadonlyMap<number, RowCounts>,
  format: "binary" | "text" = "binary",
): Pick<Copied, "tables" | "rows" | "bytes"> {
  const tables = plan.copied.map(({ oid, schema, name, bytes }) => {
    return { schema, name, rows: counts.get(oid)?.target ?? 0, bytes, ms: 0, format };
  });
  return { tables, rows: tables.reduce((sum, { rows }) => sum + rows, 0), bytes: tables.reduce((sum, table) => sum + table.bytes, 0) };
}
