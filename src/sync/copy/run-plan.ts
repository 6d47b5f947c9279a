import { asPgdittoError, PgdittoError } from "../../errors.ts";
import type { Pace } from "../../copy/pace.ts";
import type { TaskKind } from "../../events.ts";
import type { Plan } from "../../plan/build-plan.ts";
import { isRepeatable } from "../../plan/sql-step.ts";
import type { Task } from "../../plan/task.ts";
import { withFacts } from "../../postgres/server-error.ts";
import { isTransient } from "../../postgres/sqlstate.ts";
import { withRetries } from "../../scheduler/retry.ts";
import { runGraph } from "../../scheduler/run-graph.ts";
import type { TaskContext, TaskResult } from "../../tasks/context.ts";
import type { DumpAccess } from "../../tasks/dump-access.ts";
import type { Journal } from "../../tasks/journal.ts";
import { addCounts, type RowCounts } from "../../tasks/row-counts.ts";
import { runTask } from "../../tasks/run-task.ts";
import { cancelled, sleep, throwIfAborted } from "../../util/wait.ts";
import { summarizeError } from "../summarize-error.ts";
import type { BuildWatch } from "../watch/watch-builds.ts";
import { stepsOf } from "../own-sql-steps.ts";
import { info, type Run, warn } from "../run.ts";
import { asSpaceError } from "../watch/watch-space.ts";
import { coreShare } from "./core-share.ts";
import { taskEvents } from "./task-events.ts";
import type { Worker, Workers } from "./workers.ts";

export interface RunPlanResult {
  counts: ReadonlyMap<number, RowCounts>;
  /** Rows and bytes moved, and milliseconds taken, by id of the copy. */
  copied: ReadonlyMap<string, TaskResult & { ms: number }>;
  /** Milliseconds that each task took, by its id. */
  durations: ReadonlyMap<string, number>;
}

const MOVES_ROWS: ReadonlySet<TaskKind> = new Set(["copy", "export", "import", "large-objects"]);
/** What makes a standby of the target lag further: none of these starts while copies are held back. */
const WRITES_MUCH: ReadonlySet<TaskKind> = new Set(["copy", "large-objects", "index", "constraint", "refresh", "sql"]);

/** Runs the plan's tasks over the workers, with retries for what is transient. */
export async function runPlan(
  run: Run,
  plan: Plan,
  workers: Workers,
  options: {
    encoding: string;
    statistics: TaskContext["statistics"];
    journal: Journal | undefined;
    pace?: Pace | undefined;
    builds?: BuildWatch | undefined;
    inTransaction?: boolean;
    /** With a dump folder; then the caller tells of the phases. */
    dump?: DumpAccess | undefined;
  },
): Promise<RunPlanResult> {
  const counts = new Map<number, RowCounts>();
  const copied = new Map<string, TaskResult & { ms: number }>();
  const durations = new Map<string, number>();
  const events = taskEvents(run, plan, options.dump === undefined);

  let atWork = 0;

  const attemptTask = async (task: Task, worker: Worker, attempt: number, signal: AbortSignal): Promise<TaskResult> => {
    const started = performance.now();
    let readsSource = false;
    const context: TaskContext = {
      source: () => {
        readsSource = true;
        return worker.source.get();
      },
      target: worker.target.get,
      leaveTarget: async () => await worker.target[Symbol.asyncDispose](),
      signal,
      attempt,
      encoding: options.encoding === "UTF8" ? null : options.encoding,
      statistics: options.statistics,
      noOwner: run.config.noOwner,
      noAcl: run.config.noAcl,
      pace: options.pace,
      dump: options.dump,
      coreShare: () => coreShare(run, atWork),
      onBytes: (bytes, rows = 0) => events.progress(task, { bytes, rows }),
      warn: (code, message, hint) => warn(run, code, message, hint),
      tell: (code, message) => info(run, code, message),
      journal: options.journal,
      inTransaction: options.inTransaction,
      recordCopy: (id, result) => copied.set(id, { ...result, ms: performance.now() - started }),
      rowsSent: (id) => copied.get(id)?.rows,
      recordCount: (table, rows) => counts.set(table, addCounts(counts.get(table), rows)),
    };
    try {
      return await runTask(task, context);
    } catch (error) {
      // whatever was used is in no known state; another attempt gets a new session, on the source in the same snapshot, as long as that is to be had
      await Promise.all([readsSource ? worker.source.drop() : undefined, worker.target.drop()]);
      if (signal.aborted) throw cancelled(signal);
      throw describeFailure(run, task, error);
    }
  };

  await runGraph({
    nodes: plan.tasks,
    slots: workers.list,
    signal: run.signal,
    run: async (task, worker, signal, waitedMs) => {
      const started = performance.now();
      const number = workers.list.indexOf(worker) + 1;
      let attempts = 0;
      if (options.pace && WRITES_MUCH.has(task.kind)) {
        await options.pace.start(signal);
        throwIfAborted(signal);
      }
      atWork += 1;
      events.started(task, { worker: number, waitedMs });
      options.builds?.started(task, () => worker.target.current?.pid);
      try {
        const result = await withRetries(
          {
            attempts: run.config.retryCount,
            isWorthwhile: (error) =>
              !signal.aborted && error instanceof PgdittoError && isTransient(error.sqlstate) && mayTryAgain(task, options.journal),
            wait: (ms) => sleep(ms, signal),
            onRetry: ({ attempt, attempts, delayMs, error }) =>
              events.retry(task, { attempt, attempts, delayMs, error: summarizeError(asPgdittoError(error)) }),
          },
          (attempt) => {
            attempts = attempt;
            return attemptTask(task, worker, attempt, signal);
          },
        );
        const ms = performance.now() - started;
        durations.set(task.id, ms);
        const backends = { source: worker.source.current?.pid, target: worker.target.current?.pid };
        events.done(task, result, { ms, worker: number, attempts, backends }, copied);
      } catch (error) {
        if (!signal.aborted) events.failed(task, summarizeError(asPgdittoError(error)));
        throw error;
      } finally {
        atWork -= 1;
        options.builds?.ended(task);
      }
    },
  });
  return { counts, copied, durations };
}

/** What may have done a part of its work would do it twice. */
function mayTryAgain(task: Task, journal: Journal | undefined): boolean {
  return task.kind !== "sql" || (journal !== undefined && isRepeatable(task.step));
}

function describeFailure(run: Run, task: Task, error: unknown): PgdittoError {
  const known = asSpaceError(asPgdittoError(error));
  if (known.code === "cancelled" || known.code === "internal" || known.code === "space") return known;
  const code = known.code === "server" ? codeOf(task) : known.code;
  return withFacts(
    known,
    { task: task.kind, object: known.object ?? task.object, hint: hintForAltered(run, task, known) ?? known.hint ?? hintFor(known) },
    code,
  );
}

/** What breaks a unique index or a foreign key may be what own SQL has left of the source's rows. */
function hintForAltered(run: Run, task: Task, { sqlstate = "" }: PgdittoError): string | undefined {
  if (task.kind === "sql" || task.kind === "copy" || !sqlstate.startsWith("23") || stepsOf(run, "after-data").length === 0)
    return undefined;
  return "Own SQL of the stage after-data has been at work on the rows: do those that it left break this? Nothing was swapped.";
}

function codeOf(task: Task): "copy" | "schema" | "server" | "sql" {
  if (task.kind === "count") return "server";
  if (task.kind === "sql") return "sql";
  return MOVES_ROWS.has(task.kind) ? "copy" : "schema";
}

function hintFor(error: PgdittoError): string | undefined {
  switch (error.sqlstate) {
    case "53100":
      return "The source's disk is full. Make room there; the live target is as it was.";
    case "42501":
      return `The ${error.side ?? ""} role lacks a privilege. \`pgditto doctor\` looks for what it needs.`;
    case "55P03":
      return "Somebody waits for an exclusive lock on it (ALTER TABLE, TRUNCATE, DROP, VACUUM FULL), and reading waits behind them. See pg_locks, and run again when they are done.";
    case "23514":
      return "A CHECK constraint refuses a row that the source holds. Its function may depend on search_path, which is empty here (CVE-2018-1058): give the function its own with ALTER FUNCTION … SET search_path.";
    default:
      return isTransient(error.sqlstate)
        ? "The connection was lost, and further attempts did not help (RETRY_COUNT). The live target is as it was; run again."
        : undefined;
  }
}
