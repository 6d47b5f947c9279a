import { PgdittoError } from "../errors.ts";
import { isConnectionLoss, isTransient } from "../postgres/sqlstate.ts";
import { withRetries } from "../scheduler/retry.ts";
import { sleep } from "../util/wait.ts";

/** Somebody else's lock or a deadlock passes; a lost connection does not come back by itself. `attempts`: in all. */
export async function patiently(attempts: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  await withRetries(
    {
      attempts,
      isWorthwhile: (error) =>
        !signal.aborted && error instanceof PgdittoError && isTransient(error.sqlstate) && !isConnectionLoss(error.sqlstate),
      wait: (ms) => sleep(ms, signal),
      onRetry: () => undefined,
    },
    work,
  );
}
