import type { HookSession, SqlHook } from "../config/sql/hooks.ts";
import type { SqlStage } from "../config/sql/stages.ts";
import { PgdittoError } from "../errors.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import { cancelled, laterAwaited, throwIfAborted } from "../util/wait.ts";
import { refuseOpenTransaction } from "./run-script.ts";

/**
 * Calls a hook of the user's with the session, one of `useOrdinarySettings`; it must be closed afterwards. What the hook has begun and not awaited is waited for.
 * @throws PgdittoError `sql` for whatever the hook throws; the run's cancellation at once, even where the hook goes on.
 */
export async function runHook(session: Session, hook: SqlHook, stage: SqlStage, signal: AbortSignal): Promise<void> {
  const name = `hook ${stage}`;
  const begun: Array<Promise<unknown>> = [];
  const track = <T>(promise: Promise<T>): Promise<T> => {
    begun.push(promise);
    return laterAwaited(promise);
  };
  const given: HookSession = {
    stage,
    database: session.config.database,
    signal,
    query: (text, values) => track(session.query(text, values, signal)),
    run: (text) => track(session.run(text, signal)),
  };
  try {
    await untilAborted(signal, async () => {
      await hook(given);
      await Promise.all(begun);
    });
  } catch (error) {
    throwIfAborted(signal);
    throw describe(error, name);
  } finally {
    // one that nobody awaits any more fails unheard
    await Promise.allSettled(begun);
  }
  await refuseOpenTransaction(session, name, signal);
}

async function untilAborted(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled(signal));
  });
  signal.addEventListener("abort", stop, { once: true });
  try {
    throwIfAborted(signal);
    await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function describe(error: unknown, name: string): PgdittoError {
  if (error instanceof PgdittoError)
    return withFacts(error, { object: error.object ?? name }, error.code === "server" ? "sql" : error.code);
  return new PgdittoError("sql", `${name}: ${error instanceof Error ? error.message : String(error)}`, {
    object: name,
    hint: "The function threw this. Nothing was swapped.",
    cause: error,
  });
}
