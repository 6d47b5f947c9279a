import { sleep } from "../util/wait.ts";

/** What holds copies back: all of a run ask the same one. */
export interface Pace {
  /**
   * To be told of bytes that came from the source. Undefined: read on; else read on when it settles. It does so at once when the signal
   * aborts, and never fails: whoever was aborted finds that out elsewhere.
   */
  taken: (bytes: number, signal: AbortSignal) => Promise<void> | undefined;
  /** Settles when a task that copies or builds may start. */
  start: (signal: AbortSignal) => Promise<void>;
  /** Nothing is read, and nothing starts, until `resume`. */
  pause: () => void;
  resume: () => void;
}

/**
 * A read that comes late by no more than this is made up for: a tenth of a second is 1 % of ten, and a busy machine wakes nobody to the
 * millisecond (measured: 7 % too slow with a hundredth). After a longer silence there is no more to make up for.
 */
const BURST_MS = 100;

/**
 * A bucket that is in debt rather than empty: whoever took bytes waits until they are paid for, so that the sum of all copies keeps
 * the rate, whatever the size of what one of them reads. @param bytesPerSecond Undefined: no limit.
 */
export function createPace(bytesPerSecond: number | undefined): Pace {
  let paidUntil = 0;
  let gate: { opened: Promise<void>; open: () => void } | undefined;

  const debt = (bytes: number): number => {
    if (bytesPerSecond === undefined) return 0;
    const at = performance.now();
    paidUntil = Math.max(paidUntil, at - BURST_MS) + (bytes / bytesPerSecond) * 1000;
    return paidUntil - at;
  };
  const passGate = async (signal: AbortSignal): Promise<void> => {
    while (gate && !signal.aborted) await orAborted(gate.opened, signal);
  };
  const wait = async (ms: number, signal: AbortSignal): Promise<void> => {
    if (ms > 0) await sleep(ms, signal).catch(() => undefined);
    await passGate(signal);
  };

  return {
    taken: (bytes, signal) => {
      const ms = debt(bytes);
      return ms > 0 || gate ? wait(ms, signal) : undefined;
    },
    start: passGate,
    pause: () => {
      if (gate) return;
      let open = (): void => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      gate = { opened, open };
    },
    resume: () => {
      gate?.open();
      gate = undefined;
    },
  };
}

async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
  });
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
