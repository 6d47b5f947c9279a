import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Side } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Run } from "../run.ts";
import { type CopyWatch, watchCopies } from "./watch-copies.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const run = { id: "abc" } as Run;

/** What a server shows of the copies of one worker: what it waits for, and how far it is; none is through. */
async function shows(copies: CopyWatch, side: Side, copy?: { wait: string | null; at: number }): Promise<void> {
  const query = 'COPY "s"."t" ("i") TO STDOUT';
  const rows = copy ? [{ worker: "worker 1", pid: 7, wait: copy.wait, query, mark: `${copy.wait} ${copy.at}` }] : [];
  await copies.look({ side, serverVersion: 150_000, query: async () => rows } as unknown as Session);
}

type Shown = { wait: string | null; at: number } | undefined;

/** Both sides show the same for as long. */
async function after(ms: number, source: Shown, target: Shown): Promise<ReturnType<CopyWatch["stalled"]>> {
  const copies = watchCopies(run);
  for (let passed = 0; passed <= ms; passed += 1000) {
    await shows(copies, "source", source);
    await shows(copies, "target", target);
    if (passed < ms) vi.advanceTimersByTime(1000);
  }
  return copies.stalled(10_000);
}

describe("a copy of which nothing moves", () => {
  test.each<[string, Shown, Shown, Side]>([
    ["the target takes nothing", { wait: "Client", at: 5 }, { wait: null, at: 4 }, "target"],
    ["the source sends nothing", { wait: null, at: 5 }, { wait: "Client", at: 5 }, "source"],
    ["either waits for the other", { wait: "Client", at: 5 }, { wait: "Client", at: 4 }, "source"],
    ["the source is through", undefined, { wait: null, at: 4 }, "target"],
    ["the target has not begun", { wait: "Client", at: 5 }, undefined, "source"],
  ])("%s: given up after the limit, not before", async (_, source, target, side) => {
    expect(await after(9000, source, target)).toBeUndefined();
    expect(await after(10_000, source, target)).toMatchObject({ side, sqlstate: "ETIMEDOUT", object: '"s"."t"', exitCode: 1 });
  });

  test.each(["Timeout", "Lock"])("a backend that waits for %s gets ten times as long", async (wait) => {
    expect(await after(99_000, { wait: "Client", at: 5 }, { wait, at: 4 })).toBeUndefined();
    expect(await after(100_000, { wait: "Client", at: 5 }, { wait, at: 4 })).toMatchObject({ side: "target" });
  });
});

test("what moves on one side is left in peace", async () => {
  const copies = watchCopies(run);
  for (let at = 0; at < 100; at += 1) {
    await shows(copies, "source", { wait: "Client", at: 1 });
    await shows(copies, "target", { wait: null, at });
    vi.advanceTimersByTime(1000);
    expect(copies.stalled(10_000)).toBeUndefined();
  }
});

test("a copy that is over, and another one of the same worker", async () => {
  const copies = watchCopies(run);
  await shows(copies, "source", { wait: null, at: 1 });
  await shows(copies, "target", { wait: null, at: 1 });
  vi.advanceTimersByTime(20_000);
  await shows(copies, "source");
  await shows(copies, "target");
  expect(copies.stalled(10_000)).toBeUndefined();
});
