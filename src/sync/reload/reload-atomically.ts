import { displayRemovable, placeOf } from "../../catalog/removable/removable.ts";
import { shapeKey } from "../../catalog/table-shapes.ts";
import { asPgdittoError, type Difference, PgdittoError } from "../../errors.ts";
import { quoteQualified } from "../../postgres/quote.ts";
import type { RenewableSession } from "../../postgres/renewable.ts";
import type { Session } from "../../postgres/session.ts";
import { isConnectionLoss, isTransient } from "../../postgres/sqlstate.ts";
import { withRetries } from "../../scheduler/retry.ts";
import { AS_REPLICA } from "../../target/fill-rights.ts";
import { readAbilities } from "../../target/abilities.ts";
import { loadingSettings } from "../../target/loading-settings.ts";
import { inSlices } from "../../util/group-by.ts";
import { plural } from "../../util/format.ts";
import { cancelled, sleep } from "../../util/wait.ts";
import { readOrphans } from "../../verify/orphans.ts";
import { summarizeCopies } from "../copy/copy-by-tasks.ts";
import { runPlan, type RunPlanResult } from "../copy/run-plan.ts";
import { PHASES } from "../copy/task-events.ts";
import { runSteps } from "../copy/run-steps.ts";
import { openWorkers, type Worker } from "../copy/workers.ts";
import { orphanRows } from "../ledger/broken-rows.ts";
import type { Opened } from "../open.ts";
import { fitWorkers } from "../preflight/fit-workers.ts";
import { type Run, stage, warn } from "../run.ts";
import { type Guard, guardRun } from "../watch/guard-run.ts";
import { asSpaceError } from "../watch/watch-space.ts";
import { afterFailure, perhapsCommitted, rolledBack } from "./after-failure.ts";
import { namingBlockers } from "./blockers.ts";
import { lockSql, quietSql } from "./atomic-sql.ts";
import type { ReloadContents } from "./read-reload.ts";
import { lockTimeout, type Reloaded, tellPlan } from "./reload-by-tasks.ts";
import { rowDifferences, tellVerified } from "./verify-reload.ts";

/** Values of a broken key that are shown. */
const EXAMPLES = 20;

/**
 * Everything in one transaction over one connection: readers see the old rows until it is committed, writers wait. TRUNCATE would keep
 * readers out, so rows are deleted. What dies on the way leaves nothing: a rollback puts all of it back.
 */
export async function reloadAtomically(run: Run, opened: Opened, contents: ReloadContents): Promise<Reloaded> {
  const { plan, snapshot } = contents;
  const { database } = run.config.target;
  await fitWorkers(run, opened, 1);
  const settings = [loadingSettings(await readAbilities(opened.control), 1), ...(contents.inTheWay.replica ? [AS_REPLICA] : [])].join("; ");
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: database, settings, count: 1, snapshot, tables: plan.rows.copied }),
  );
  tellPlan(run, contents);
  const [worker] = workers.list;
  if (!worker) throw new PgdittoError("internal", "There is no worker.");
  const commit: Commit = { state: "none" };
  try {
    await runSteps(run, plan.rows, workers, "before");
    using guard = await guardRun(run, opened, database);
    const watched: Run = { ...run, signal: guard.signal };
    const done = await stage(run, "tasks", () => inOneTransaction(watched, worker, contents, guard, commit));
    await runPlan(watched, plan.after, workers, { encoding: contents.encoding, statistics: undefined, journal: undefined });
    await runSteps(watched, plan.rows, workers, "after");
    return { ...summarizeCopies(plan.rows, done), advice: [] };
  } catch (error) {
    const cause = run.signal.aborted ? cancelled(run.signal) : asSpaceError(asPgdittoError(error));
    await worker.target.drop();
    const named = await namingBlockers(run, opened.control, cause, contents);
    if (commit.state === "done") throw afterFailure(named, { fresh: plan.rows.copies.map(({ object }) => object), old: [] }, 0);
    throw commit.state === "unknown" ? perhapsCommitted(named) : rolledBack(named);
  }
}

/** What fails in passing is done again from the beginning: of an attempt that failed nothing is left. */
async function inOneTransaction(run: Run, worker: Worker, contents: ReloadContents, guard: Guard, commit: Commit): Promise<RunPlanResult> {
  return await withRetries(
    {
      attempts: run.config.retryCount,
      isWorthwhile: (error) => !run.signal.aborted && error instanceof PgdittoError && isTransient(error.sqlstate),
      wait: (ms) => sleep(ms, run.signal),
      onRetry: ({ attempt, attempts, delayMs, error }) =>
        warn(
          run,
          "starts-over",
          `${asPgdittoError(error).message}. The transaction begins again in ${delayMs / 1000} s (attempt ${attempt + 1} of ${attempts}).`,
        ),
    },
    async () => {
      const session = await worker.target.get();
      try {
        const done = await oneAttempt(run, { source: worker.source, target: held(session) }, session, contents, guard);
        await committing(session, commit, run.signal);
        return done;
      } catch (error) {
        await worker.target.drop();
        throw error;
      }
    },
  );
}

/** Never another one: outside of the transaction a row would be there at once. */
function held(session: Session): RenewableSession {
  return {
    current: session,
    get: async () => {
      if (session.alive) return session;
      throw new PgdittoError("server", "The connection that holds the transaction was lost.", { side: "target", sqlstate: "ECONNRESET" });
    },
    drop: () => session.abort(),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function oneAttempt(run: Run, worker: Worker, session: Session, contents: ReloadContents, guard: Guard): Promise<RunPlanResult> {
  const { plan, encoding, inTheWay } = contents;
  const { signal } = run;
  await session.run(`BEGIN; SET LOCAL lock_timeout = '${lockTimeout(run)}'`, signal);
  await session.run(await lockSql(session, contents), signal);
  await session.run(["SET CONSTRAINTS ALL DEFERRED", ...quietSql(inTheWay, "off")].join("; "), signal);
  // rows that refer to others go before those: in the opposite order of coming
  for (const task of plan.rows.tasks.toReversed()) {
    if (task.kind !== "copy") continue;
    const deletes = task.copies.map(({ table }) => {
      const only = contents.shapes.get(shapeKey(table))?.kind === "p" ? "" : "ONLY ";
      return `DELETE FROM ${only}${quoteQualified(table.schema, table.name)}`;
    });
    for (const slice of inSlices(deletes, 50)) await session.run(slice.join("; "), signal);
  }
  // until here somebody may hold a row that is to go, and writers wait behind us
  await session.run("SET LOCAL lock_timeout = 0", signal);
  const alone: Run = { ...run, config: { ...run.config, retryCount: 1 } };
  const options = { encoding, statistics: undefined, journal: undefined, pace: guard.pace, inTransaction: true };
  const done = await runPlan(alone, plan.rows, { list: [worker], [Symbol.asyncDispose]: async () => undefined }, options);
  run.emit({ type: "phase:started", phase: 4, of: 4, name: PHASES[4] });
  await session.run(["SET CONSTRAINTS ALL IMMEDIATE", ...quietSql(inTheWay, "back")].join("; "), signal);
  const source = await worker.source.get();
  const differences = [
    ...(await rowDifferences(run, { source, target: session }, contents, done.counts)),
    ...(await brokenKeys(session, contents, signal)),
  ];
  tellVerified(run, contents, done.counts, differences);
  if (differences.length > 0) throw refused(differences);
  await guard.settle();
  return done;
}

/** What is known of it. A COMMIT whose answer was lost stays unknown, whatever becomes of the attempts after it. */
interface Commit {
  state: "none" | "unknown" | "done";
}

async function committing(session: Session, commit: Commit, signal: AbortSignal): Promise<void> {
  await session.run("SET LOCAL synchronous_commit = on", signal);
  try {
    await session.run("COMMIT", signal);
    commit.state = "done";
  } catch (error) {
    const state = error instanceof PgdittoError ? error.sqlstate : undefined;
    // what the server itself refuses is rolled back
    const refused = state !== undefined && /^[0-9A-Z]{5}$/.test(state) && !isConnectionLoss(state);
    if (!refused) commit.state = "unknown";
    throw error;
  }
}

/** Where triggers keep quiet, those of foreign keys do too: the rows have to be looked at. */
async function brokenKeys(session: Session, { inTheWay }: ReloadContents, signal: AbortSignal): Promise<Difference[]> {
  if (!inTheWay.replica) return [];
  const found: Difference[] = [];
  for (const key of inTheWay.foreignKeys) {
    // one that was not valid before need not be now
    if (key.validate === undefined && / NOT (?:VALID|ENFORCED)\b/.test(key.putBack)) continue;
    const of = placeOf(key);
    const object = displayRemovable(of);
    const orphans = await readOrphans(session, of, EXAMPLES, signal);
    const difference = orphans
      ? orphanRows(object, orphans)
      : { kind: "foreign-key", object, source: "", target: "cannot be proven: leave out --atomic" };
    if (difference) found.push(difference);
  }
  return found;
}

function refused(differences: readonly Difference[]): PgdittoError {
  return new PgdittoError("verify", `The new rows are not what they should be in ${plural(differences.length, "place")}: rolled back.`, {
    object: differences[0]?.object,
    side: "target",
    task: "validation",
    hint: "The target is as it was. Rows without a match: select the table that they refer to as well, or mend them.",
    differences,
  });
}
