import { asPgdittoError } from "../../errors.ts";
import { displayRemovable, placeOf } from "../../catalog/removable/removable.ts";
import type { Session } from "../../postgres/session.ts";
import { AS_REPLICA } from "../../target/fill-rights.ts";
import { readAbilities } from "../../target/abilities.ts";
import { takeOff } from "../../target/ledger.ts";
import { loadingSettings } from "../../target/loading-settings.ts";
import { disposables } from "../../util/disposables.ts";
import { cancelled } from "../../util/wait.ts";
import { readInventory } from "../../verify/inventory.ts";
import { countAnew } from "../compare/count-anew.ts";
import { summarizeCopies } from "../copy/copy-by-tasks.ts";
import { answers, holdAnew } from "../copy/regain-control.ts";
import { runPlan } from "../copy/run-plan.ts";
import { PHASES } from "../copy/task-events.ts";
import { runSteps } from "../copy/run-steps.ts";
import { openWorkers } from "../copy/workers.ts";
import type { PutBackResult } from "../ledger/put-back.ts";
import type { Opened } from "../open.ts";
import { fitWorkers } from "../preflight/fit-workers.ts";
import type { SyncResult } from "../result.ts";
import { type Run, stage } from "../run.ts";
import { guardRun } from "../watch/guard-run.ts";
import { asSpaceError } from "../watch/watch-space.ts";
import { afterFailure } from "./after-failure.ts";
import { namingBlockers } from "./blockers.ts";
import { openQuietly } from "./open-reload.ts";
import { putBackAfterFailure, putBackAll } from "./put-back-all.ts";
import type { ReloadContents } from "./read-reload.ts";
import { rowDifferences, verifyReload } from "./verify-reload.ts";

export type Reloaded = Pick<SyncResult, "tables" | "rows" | "bytes" | "advice">;

/**
 * Seconds. Whoever has a table in use keeps TRUNCATE waiting, and everybody else waits behind that. Sooner than the copy would be taken for
 * one that stands still.
 */
export function lockTimeout({ config }: Run): string {
  return `${Math.min(60, Math.ceil(config.stallTimeout / 2))}s`;
}

/**
 * Takes off what is in the way, replaces the rows of the tables beside each other, each in one transaction, and puts everything back. When
 * that fails, what was taken off is put back all the same.
 */
export async function reloadByTasks(run: Run, opened: Opened, contents: ReloadContents): Promise<Reloaded> {
  const { plan, snapshot } = contents;
  const { database } = run.config.target;
  const most = Math.max(1, plan.rows.tasks.length, plan.after.tasks.length);
  const { count } = await fitWorkers(run, opened, Math.min(run.config.jobs * run.config.batchSize, most));
  const settings = [
    loadingSettings(await readAbilities(opened.control), count),
    `SET lock_timeout = '${lockTimeout(run)}'`,
    ...(contents.inTheWay.replica ? [AS_REPLICA] : []),
  ].join("; ");
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: database, settings, count, snapshot, tables: plan.rows.copied }),
  );
  tellPlan(run, contents);
  const before = await readInventory(opened.control, run.signal);
  const watch = watchFresh(run);
  let back: PutBackResult | undefined;
  try {
    await runSteps(run, plan.rows, workers, "before");
    await stage(run, "take-off", () => takeOffAll(run, opened.control, contents));
    using guard = await guardRun(run, opened, database);
    const { signal, pace } = guard;
    const options = { encoding: contents.encoding, statistics: undefined, journal: undefined, pace };
    const done = await stage(run, "tasks", () => runPlan({ ...watch.run, signal }, plan.rows, workers, options));
    await guard.settle();
    await using spare = disposables();
    const lost = !(await answers(opened.control));
    const control = lost ? spare.use(await holdAnew(run, () => openQuietly(run, "control", true))) : opened.control;
    const [first] = workers.list;
    const source = first ? await first.source.get() : opened.source;
    const counts = lost ? await countAnew(run, plan.rows, { source: async () => source, target: control }) : done.counts;
    const rows = await rowDifferences(run, { source, target: control }, contents, counts);
    const put = await stage(run, "put-back", () => putBackAll(run, control, workers, contents));
    back = put;
    await runPlan({ ...run, signal }, plan.after, workers, options);
    run.emit({ type: "phase:started", phase: 4, of: 4, name: PHASES[4] });
    await stage(run, "verify", () => verifyReload(run, control, { contents, counts, rows, before, back: put }));
    await runSteps(run, plan.rows, workers, "after");
    return { ...summarizeCopies(plan.rows, done), advice: [] };
  } catch (error) {
    const cause = run.signal.aborted ? cancelled(run.signal) : asSpaceError(asPgdittoError(error));
    const named = await namingBlockers(run, opened.control, cause, contents);
    // verification tells of what is not as it was
    if (back && (cause.code === "verify" || cause.task === "put back")) throw named;
    const off = back ? back.differences.length + back.failed.length : await putBackAfterFailure(run, named, contents);
    throw afterFailure(named, watch.rows(plan.rows.copies), off);
  }
}

export function tellPlan(run: Run, { plan: { rows, after }, snapshot }: ReloadContents): void {
  const tasks = rows.tasks.length + after.tasks.length;
  run.emit({ type: "plan:ready", tables: rows.copied.length, bytes: rows.bytes, tasks, pgDump: "", snapshot });
}

async function takeOffAll(run: Run, control: Session, { inTheWay }: ReloadContents): Promise<void> {
  await takeOff(control, inTheWay.takenOff, {
    run: run.id,
    purpose: "reload",
    signal: run.signal,
    attempts: run.config.retryCount,
    lockTimeout: lockTimeout(run),
    taken: (one) => run.emit({ type: "ledger", action: "off", kind: one.kind, object: displayRemovable(placeOf(one)), detail: "" }),
  });
}

/** Which tables have their new rows by now. */
function watchFresh(run: Run): {
  run: Run;
  rows: (all: readonly Named[]) => { fresh: string[]; old: string[] };
} {
  const fresh = new Set<string>();
  return {
    run: {
      ...run,
      emit: (event) => {
        if (event.type === "task:done" && event.kind === "copy") fresh.add(event.object);
        run.emit(event);
      },
    },
    rows: (all) => {
      const names = all.map(({ object }) => object);
      return { fresh: names.filter((name) => fresh.has(name)), old: names.filter((name) => !fresh.has(name)) };
    },
  };
}

interface Named {
  object: string;
}
