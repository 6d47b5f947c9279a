import { asPgdittoError, PgdittoError } from "../errors.ts";
import { withFacts } from "../postgres/server-error.ts";
import { isConnectionLoss } from "../postgres/sqlstate.ts";
import { withRetries } from "../scheduler/retry.ts";
import { sleep } from "../util/wait.ts";
import { canGoOn } from "./resume/keep-staging.ts";
import { type Run, warn } from "./run.ts";

/** What one attempt at a run leaves to the next. */
export interface Memory {
  /** Go on with what there is in a staging database. */
  resume: boolean;
  /** `--mode recreate` has dropped the target. */
  targetDropped: boolean;
  /** Something has begun that must not be done twice. */
  once: boolean;
}

/**
 * Does the run's work, and does it again where nothing smaller can be repeated: when the source's snapshot is lost with the connections that had
 * joined it (its server restarted), and when a connection is lost while the source is looked at and read, the copy is compared, or the
 * names are swapped. Tasks have attempts of their own. What is in the staging database by then is gone on with, as `--resume` does.
 * A server that says nothing at all (ETIMEDOUT) is given up at once: whoever waits has waited `--stall-timeout` already.
 * @throws PgdittoError the last attempt's.
 */
export async function startOver<T>(run: Run, work: (memory: Memory) => Promise<T>): Promise<T> {
  const memory = { resume: run.config.resume, targetDropped: false, once: false };
  try {
    return await withRetries(
      {
        attempts: run.config.retryCount,
        isWorthwhile: (error) =>
          !run.signal.aborted && !memory.once && error instanceof PgdittoError && (canGoOn(error) || isLostOutsideTasks(error)),
        wait: (ms) => sleep(ms, run.signal),
        onRetry: ({ attempt, attempts, delayMs, error }) => {
          memory.resume = true;
          tell(run, asPgdittoError(error), `in ${delayMs / 1000} s (attempt ${attempt + 1} of ${attempts})`);
        },
      },
      () => work(memory),
    );
  } catch (error) {
    if (!(error instanceof PgdittoError) || error.hint !== undefined || !isConnectionLoss(error.sqlstate)) throw error;
    throw withFacts(error, { hint: "The connection was lost (RETRY_COUNT attempts). The live target is as it was; run again." });
  }
}

function tell(run: Run, error: PgdittoError, when: string): void {
  const lost = `The connection to the ${error.side ?? "server"} was lost: ${error.message}.`;
  if (error.resumable)
    warn(run, "source-lost", `${lost} The run goes on under a new snapshot ${when}; what is done and proven unchanged stays.`);
  else warn(run, "starts-over", `${lost} The run starts over ${when}.`);
}

function isLostOutsideTasks(error: PgdittoError): boolean {
  if (!isConnectionLoss(error.sqlstate) || error.sqlstate === "ETIMEDOUT") return false;
  // connecting has attempts of its own too
  return error.task === undefined && error.code !== "source-connect" && error.code !== "target-connect";
}
