import { PgdittoError } from "../errors.ts";

/** Throws the run's cancellation as our own error, whatever reason the caller gave to `abort()`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** A failure of ours given as the abort reason stays the first cause; anything else becomes `cancelled`. */
export function cancelled(signal: AbortSignal): PgdittoError {
  const reason: unknown = signal.reason;
  return reason instanceof PgdittoError ? reason : new PgdittoError("cancelled", "The run was cancelled.", { cause: reason });
}

/** For a promise that somebody awaits later, or never: until then its failure is nobody's. */
export function laterAwaited<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Waits `ms` milliseconds, or until the signal aborts (then it throws). */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  await new Promise<void>((resolve, reject) => {
    const done = (): void => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = (): void => {
      clearTimeout(timer);
      if (signal) reject(cancelled(signal));
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** The promise's value, or `undefined` when it takes longer than `ms` milliseconds or fails. For clean-up only. */
export async function withinMs<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise.catch(() => undefined), limit]);
  } finally {
    clearTimeout(timer);
  }
}
