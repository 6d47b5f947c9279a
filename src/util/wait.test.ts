import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import { cancelled, sleep, throwIfAborted, withinMs } from "./wait.ts";

describe("sleep", () => {
  test("waits", async () => {
    const started = performance.now();
    await sleep(30);
    expect(performance.now() - started).toBeGreaterThanOrEqual(25);
  });

  test("ends at once when the signal aborts, and leaves no listener", async () => {
    const controller = new AbortController();
    const waiting = sleep(60_000, controller.signal);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toMatchObject({ code: "cancelled", cause: expect.objectContaining({ message: "enough" }) });
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("does not begin when the signal has aborted", async () => {
    await expect(sleep(60_000, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
  });

  test("leaves no listener when the time is over", async () => {
    const { signal } = new AbortController();
    await sleep(1, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("cancelled", () => {
  test("a failure of ours stays the first cause", () => {
    const cause = new PgdittoError("copy", "rows did not arrive");
    expect(cancelled(AbortSignal.abort(cause))).toBe(cause);
    expect(() => throwIfAborted(AbortSignal.abort(cause))).toThrow(cause);
  });

  test("any other reason becomes a cancellation", () => {
    expect(cancelled(AbortSignal.abort("no reason"))).toMatchObject({ code: "cancelled", cause: "no reason" });
  });

  test("nothing is thrown without a signal, or before it aborts", () => {
    expect(() => throwIfAborted(undefined)).not.toThrow();
    expect(() => throwIfAborted(new AbortController().signal)).not.toThrow();
  });
});

describe("withinMs", () => {
  test("the value when it comes in time", async () => {
    expect(await withinMs(1000, Promise.resolve(5))).toBe(5);
  });

  test("nothing when it fails", async () => {
    expect(await withinMs(1000, Promise.reject(new Error("no")))).toBeUndefined();
  });

  test("nothing when it takes longer", async () => {
    expect(await withinMs(10, new Promise(() => undefined))).toBeUndefined();
  });
});
