import { describe, expect, test } from "vitest";

import { withRetries } from "./retry.ts";

/** Fails as often as told, and writes down what the policy does. */
async function attempt(failures: number, attempts: number, options: { delayMs?: number; worthwhile?: boolean } = {}) {
  const log: string[] = [];
  const outcome = await withRetries(
    {
      attempts,
      delayMs: options.delayMs,
      isWorthwhile: () => options.worthwhile ?? true,
      wait: async (ms) => void log.push(`wait ${ms}`),
      onRetry: (event) => log.push(`retry ${event.attempt}/${event.attempts} in ${event.delayMs}: ${String(event.error)}`),
    },
    async (n) => {
      log.push(`attempt ${n}`);
      if (n <= failures) throw new Error(`failure ${n}`);
      return "done";
    },
  ).catch((error: unknown) => String(error));
  return { outcome, log };
}

describe("withRetries", () => {
  test("no second attempt where the first succeeds", async () => {
    expect(await attempt(0, 3)).toEqual({ outcome: "done", log: ["attempt 1"] });
  });

  test("waits longer each time", async () => {
    expect(await attempt(2, 3)).toEqual({
      outcome: "done",
      log: [
        "attempt 1",
        "retry 1/3 in 2000: Error: failure 1",
        "wait 2000",
        "attempt 2",
        "retry 2/3 in 4000: Error: failure 2",
        "wait 4000",
        "attempt 3",
      ],
    });
  });

  test("throws the last error when the attempts are used up, without another wait", async () => {
    const { outcome, log } = await attempt(9, 2, { delayMs: 10 });
    expect(outcome).toBe("Error: failure 2");
    expect(log).toEqual(["attempt 1", "retry 1/2 in 10: Error: failure 1", "wait 10", "attempt 2"]);
  });

  test.each([
    { attempts: 1, worthwhile: true },
    { attempts: 5, worthwhile: false },
  ])("one attempt only: %j", async ({ attempts, worthwhile }) => {
    expect(await attempt(9, attempts, { worthwhile })).toEqual({ outcome: "Error: failure 1", log: ["attempt 1"] });
  });

  test("a cancelled wait ends it", async () => {
    const cancelled = withRetries(
      {
        attempts: 3,
        isWorthwhile: () => true,
        wait: () => Promise.reject(new Error("cancelled")),
        onRetry: () => undefined,
      },
      () => Promise.reject(new Error("failure")),
    );
    await expect(cancelled).rejects.toThrow("cancelled");
  });
});
