import { describe, expect, test } from "vitest";

import { speedometer } from "./speed.ts";

/** Notes `bytes` and the share of 1,000,000 at every step of `stepMs`, as long as given; returns what it says at the end. */
function drive(legs: ReadonlyArray<{ ms: number; bytesPerSecond: number }>, stepMs = 250): { rate: number; left: number | undefined } {
  const speed = speedometer();
  let [at, bytes] = [0, 0];
  const now = () => ({ at, bytes, share: bytes / 1e6 });
  speed.note(now());
  for (const { ms, bytesPerSecond } of legs) {
    for (const end = at + ms; at < end;) {
      at += stepMs;
      bytes += (bytesPerSecond * stepMs) / 1000;
      // whoever stands still tells of nothing
      if (bytesPerSecond > 0) speed.note(now());
    }
  }
  return { rate: speed.rate(now()), left: speed.left(now()) };
}

describe("speedometer", () => {
  test("an even speed", () => {
    const { rate, left } = drive([{ ms: 20_000, bytesPerSecond: 10_000 }]);
    expect(rate).toBeCloseTo(10_000);
    expect(left).toBeCloseTo(80_000);
  });

  test("the rate follows the last moments, the end the last minute", () => {
    const { rate, left } = drive([
      { ms: 200_000, bytesPerSecond: 1000 },
      { ms: 60_000, bytesPerSecond: 4000 },
    ]);
    expect(rate).toBeCloseTo(4000);
    expect(left).toBeCloseTo((1e6 - 440_000) / 4, -4);
  });

  test("nothing that moves: the rate goes to zero, and nobody knows the end", () => {
    const { rate, left } = drive([
      { ms: 100_000, bytesPerSecond: 1000 },
      { ms: 70_000, bytesPerSecond: 0 },
    ]);
    expect(rate).toBe(0);
    expect(left).toBeUndefined();
  });

  test("nothing is said about the end before the first per cent, nor in the first moments", () => {
    expect(drive([{ ms: 60_000, bytesPerSecond: 100 }]).left).toBeUndefined();
    expect(drive([{ ms: 2000, bytesPerSecond: 100_000 }]).left).toBeUndefined();
    expect(drive([{ ms: 5000, bytesPerSecond: 100_000 }]).left).toBeCloseTo(5000);
  });

  test("at the end nothing is left", () => {
    expect(drive([{ ms: 10_000, bytesPerSecond: 100_000 }]).left).toBe(0);
  });

  test("without a sample there is no speed", () => {
    expect(speedometer().rate({ at: 5, bytes: 5, share: 0 })).toBe(0);
    expect(speedometer().left({ at: 5, bytes: 5, share: 0.5 })).toBeUndefined();
  });
});
