import { asPgdittoError, PgdittoError } from "../errors.ts";
import type { SyncEventBody } from "../events.ts";
import { EVENT_FORMAT } from "../events.ts";
import { withFacts } from "../postgres/server-error.ts";
import { isConnectionLoss } from "../postgres/sqlstate.ts";
import { cancelled } from "../util/wait.ts";
import { summarize } from "./open.ts";
import { type Run, warnOfConfig } from "./run.ts";
import { summarizeError } from "./summarize-error.ts";
import { VERSION } from "./version.ts";

/** What every run ends with. */
interface Told {
  run: string;
  ms: number;
  warnings: readonly string[];
}

/** Does a run's work, and tells of its end: by `done` when it succeeded. The first cause of a failure is thrown. */
export async function tellRun<T extends object>(
  run: Run,
  work: (counted: Run) => Promise<T>,
  done: (result: T & Told) => Extract<SyncEventBody, { type: "run:done" }>,
): Promise<T & Told> {
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
    const result = { run: run.id, ...(await work(counted)), ms: elapsed(), warnings };
    run.emit(done(result));
    return result;
  } catch (error) {
    const failure = sayingWhatNow(run.signal.aborted && !(error instanceof PgdittoError) ? cancelled(run.signal) : asPgdittoError(error));
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

/** The first event of a run. @param facts What is otherwise than in a sync between two servers. */
export function begin(run: Run, facts: Partial<Extract<SyncEventBody, { type: "run:started" }>> = {}): void {
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
    ...facts,
  });
  const idle = facts.command === "export" ? "target" : facts.command === "import" ? "source" : undefined;
  warnOfConfig(run, idle);
}

/** A connection that was lost where nobody has tried again, and nobody has said what to do. */
function sayingWhatNow(error: PgdittoError): PgdittoError {
  if (error.hint !== undefined || !isConnectionLoss(error.sqlstate)) return error;
  return withFacts(error, { hint: "The connection was lost. The live target is as it was; run again." });
}
