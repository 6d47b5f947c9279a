import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";

import { createPace } from "./pace.ts";

const { signal } = new AbortController();

describe("a pace", () => {
  test("without a limit nobody waits", async () => {
    const pace = createPace(undefined);
    expect(pace.taken(1e12, signal)).toBeUndefined();
    await pace.start(signal);
  });

  test.each([1, 3, 8])("%d copies together keep the rate, whatever the size of what they read", async (copies) => {
    vi.useFakeTimers();
    try {
      const pace = createPace(1_000_000);
      let sum = 0;
      const over = new AbortController();
      const copy = async (i: number): Promise<void> => {
        for (let n = i; !over.signal.aborted; n += 1) {
          const bytes = 1000 + ((n * 7919) % 64_000);
          sum += bytes;
          await pace.taken(bytes, over.signal);
        }
      };
      const all = Array.from({ length: copies }, (_, i) => copy(i * 31));
      await vi.advanceTimersByTimeAsync(10_000);
      expect(sum / 10).toBeGreaterThan(900_000);
      expect(sum / 10).toBeLessThan(1_100_000);
      over.abort();
      await Promise.all(all);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a pause holds reads and starts until it is over", async () => {
    const pace = createPace(undefined);
    pace.pause();
    let settled = 0;
    const waits = [pace.taken(1, signal), pace.start(signal)].map((promise) => Promise.resolve(promise).then(() => (settled += 1)));
    await sleep(20);
    expect(settled).toBe(0);
    pace.resume();
    await Promise.all(waits);
    expect(pace.taken(1, signal)).toBeUndefined();
  });

  test("an abort ends every wait, and makes none fail", async () => {
    const pace = createPace(1);
    const controller = new AbortController();
    const waits = [pace.taken(1_000_000, controller.signal)];
    pace.pause();
    waits.push(pace.start(controller.signal), pace.taken(1, controller.signal));
    controller.abort();
    for (const wait of waits) await wait;
    expect(waits).toHaveLength(3);
  });
});
