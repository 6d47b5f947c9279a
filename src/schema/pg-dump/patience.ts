/**
 * Milliseconds that pg_dump may think without asking, reading or writing anything. Sorting the dependencies of a hundred
 * thousand objects takes it a minute or two; one that is stopped or stuck must not hold the run for ever.
 */
export const PATIENCE_MS = 600_000;

/** Waits for pg_dump while it is its turn; the server's slowness is not its fault and is watched elsewhere. */
export interface Patience extends Disposable {
  /** pg_dump has to do something. */
  start: () => void;
  /** pg_dump gave a sign of life; without effect while it is the server's turn. */
  renew: () => void;
  stop: () => void;
  readonly expired: boolean;
}

export function createPatience(ms: number, giveUp: () => void): Patience {
  let timer: NodeJS.Timeout | undefined;
  let expired = false;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const start = (): void => {
    stop();
    if (expired) return;
    timer = setTimeout(() => {
      expired = true;
      giveUp();
    }, ms);
  };
  return {
    start,
    renew: () => {
      if (timer !== undefined) start();
    },
    stop,
    get expired() {
      return expired;
    },
    [Symbol.dispose]: stop,
  };
}
