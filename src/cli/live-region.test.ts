import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { liveRegion } from "./live-region.ts";

const SIZE = { columns: 80, rows: 24 };

/** A region over a terminal that only takes down what is written. */
function region(lines: () => readonly string[], reflows = true) {
  const writes: string[] = [];
  const size = { ...SIZE };
  return { writes, size, live: liveRegion({ write: (text) => writes.push(text), size: () => size, reflows }, lines) };
}

/** How many lines a write goes up before it draws. */
function linesUp(write: string | undefined): number {
  const [, up] = /\[(\d+)A/.exec(write ?? "") ?? [];
  return Number(up ?? 0);
}

describe("the live region", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  test("ten thousand changes and log lines in a second are drawn ten times, and every line is written once, in order", () => {
    const { writes, live } = region(() => ["bar"]);
    for (let i = 0; i < 10_000; i += 1) {
      live.log(`line ${i}.`);
      live.touch();
      vi.advanceTimersByTime(0.1);
    }
    vi.advanceTimersByTime(1000);
    expect(writes.length).toBeLessThanOrEqual(12);
    const shown = writes.join("").match(/line \d+\./g);
    expect(shown).toEqual(Array.from({ length: 10_000 }, (_, i) => `line ${i}.`));
  });

  test("each write leaves the cursor visible and lines that break, whatever comes behind it", () => {
    const { writes, live } = region(() => ["one", "two"]);
    live.log("a");
    vi.advanceTimersByTime(500);
    live.touch();
    vi.advanceTimersByTime(500);
    live.pause();
    expect(writes.length).toBeGreaterThan(2);
    for (const write of writes) {
      expect(write.lastIndexOf("\u001B[?25h")).toBeGreaterThan(write.lastIndexOf("\u001B[?25l"));
      expect(write.lastIndexOf("\u001B[?7h")).toBeGreaterThan(write.lastIndexOf("\u001B[?7l"));
    }
  });

  test("begins where it began before, however many lines it had", () => {
    let lines = ["one", "two", "three"];
    const { writes, live } = region(() => lines);
    const draw = (): number => {
      live.touch();
      vi.advanceTimersByTime(200);
      return linesUp(writes.at(-1));
    };
    expect(draw()).toBe(0);
    lines = ["one"];
    expect(draw()).toBe(3);
    lines = [];
    expect(draw()).toBe(1);
    lines = ["again"];
    expect(draw()).toBe(0);
  });

  test.each([
    { reflows: true, up: 3 + 1 + 1 },
    { reflows: false, up: 3 },
  ])("in a window that has become narrower, which breaks lines anew: $reflows", ({ reflows, up }) => {
    const { writes, size, live } = region(() => ["x".repeat(75), "", "訂"], reflows);
    live.touch();
    vi.advanceTimersByTime(200);
    size.columns = 30;
    live.touch();
    vi.advanceTimersByTime(200);
    expect(linesUp(writes.at(-1))).toBe(up);
  });

  test("paused it is gone, all of the log is there, and what comes is written at once", () => {
    const { writes, live } = region(() => ["bar"]);
    live.touch();
    vi.advanceTimersByTime(200);
    live.log("before");
    live.pause();
    expect(writes.at(-1)).toContain("before\n");
    expect(writes.at(-1)).not.toContain("bar");
    live.log("meanwhile");
    expect(writes.at(-1)).toBe("meanwhile\n");
    const before = writes.length;
    live.touch();
    vi.advanceTimersByTime(5000);
    expect(writes).toHaveLength(before);
    // an error is told of while a question is asked
    live.pause();
    live.resume();
    vi.advanceTimersByTime(5000);
    expect(writes).toHaveLength(before);
    live.resume();
    vi.advanceTimersByTime(200);
    expect(writes.at(-1)).toContain("bar");
    expect(linesUp(writes.at(-1))).toBe(0);
  });

  test("what is on the screen is not touched when it belongs to somebody else since", () => {
    const { writes, live } = region(() => ["bar"]);
    live.touch();
    vi.advanceTimersByTime(200);
    live.forget();
    vi.advanceTimersByTime(200);
    expect(linesUp(writes.at(-1))).toBe(0);
    expect(writes.at(-1)).toContain("bar");
  });

  test("where nothing of it is on the screen, what stands on the line stays", () => {
    const { writes, live } = region(() => []);
    live.log("a line");
    vi.advanceTimersByTime(200);
    expect(writes.join("")).toMatch(/a line\n/);
    expect(writes.join("").split("a line")[0]).not.toMatch(/\r|\[J|\[K/);
  });

  test("without lines to show nothing is written", () => {
    const { writes, live } = region(() => []);
    live.touch();
    vi.advanceTimersByTime(5000);
    live[Symbol.dispose]();
    expect(writes).toEqual([]);
  });

  test("what has nothing to show yet is asked again", () => {
    let lines: string[] = [];
    const { writes, live } = region(() => lines);
    live.touch();
    vi.advanceTimersByTime(200);
    lines = ["bar"];
    vi.advanceTimersByTime(1500);
    expect(writes.join("")).toContain("bar");
  });

  test("the clocks of what stands still go on", () => {
    const { writes, live } = region(() => ["bar"]);
    live.touch();
    vi.advanceTimersByTime(5500);
    expect(writes.length).toBeGreaterThanOrEqual(5);
    expect(writes.length).toBeLessThanOrEqual(7);
  });
});
