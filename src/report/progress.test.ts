import { describe, expect, test } from "vitest";

import type { SyncEventBody } from "../events.ts";
import { trackProgress } from "./progress.ts";

type Body = SyncEventBody & { at?: number };
type Started = Extract<SyncEventBody, { type: "task:started" }>;

const PLAN: Body = { type: "plan:ready", tables: 3, bytes: 10_000, tasks: 4, pgDump: "pg_dump", snapshot: "1" };
const TASKS: Body = { type: "stage:started", stage: "tasks", tasks: 4 };

function started(id: string, more: Partial<Started> = {}): Body {
  return {
    type: "task:started",
    id,
    kind: "copy",
    object: `public.${id}`,
    parts: 1,
    bytes: 4000,
    detail: "binary",
    worker: 1,
    waitedMs: 0,
    ...more,
  };
}
function moved(id: string, rows: number | undefined, bytes: number): Body {
  return { type: "task:progress", id, bytes, ...(rows === undefined ? {} : { rows }) };
}
function done(id: string, bytes = 4000, kind: Started["kind"] = "copy"): Body {
  return { type: "task:done", id, kind, object: id, parts: 1, rows: 1, bytes, ms: 1, worker: 1, attempts: 1, backends: {} };
}

/** Every event is a second later than the one before, unless it says when; the view is of the last one's time. */
function viewAfter(...bodies: Body[]) {
  const progress = trackProgress();
  let at = 0;
  for (const body of bodies) {
    at = body.at ?? at + 1000;
    progress.event({ ...body, at, time: "2026-07-01T00:00:00.000Z", run: "tf3k2a9x0z" });
  }
  return progress.view(at);
}

describe("a table that is copied", () => {
  test("is measured by its rows", () => {
    const view = viewAfter(PLAN, TASKS, started("orders", { expectedRows: 1000 }), moved("orders", 100, 900), moved("orders", 150, 1100));
    expect(view.running).toEqual([
      expect.objectContaining({ kind: "copy", object: "public.orders", rows: 250, expectedRows: 1000, bytes: 2000, share: 0.25, ms: 2000 }),
    ]);
    expect(view.data).toEqual([expect.objectContaining({ kind: "copy", bytes: 1000, total: 10_000, share: 0.1 })]);
  });

  test("that was never analyzed has no percentage, and counts by its bytes for the whole", () => {
    const view = viewAfter(PLAN, TASKS, started("orders"), moved("orders", 100, 1000));
    expect(view.running[0]).toMatchObject({ share: undefined, rows: 100, bytes: 1000 });
    expect(view.data[0]).toMatchObject({ bytes: 1000 });
  });

  test("that outgrows its estimate loses the percentage, and never passes 100 %", () => {
    const at = (rows: number) => viewAfter(PLAN, TASKS, started("orders", { expectedRows: 1000 }), moved("orders", rows, 100_000));
    expect(at(999).running[0]?.share).toBe(0.99);
    expect(at(1001).running[0]?.share).toBe(0.99);
    expect(at(2000).running[0]?.share).toBeUndefined();
    expect(at(2000).data[0]?.share).toBeLessThan(0.4);
  });

  test("without rows is measured by its bytes", () => {
    const view = viewAfter(PLAN, TASKS, started("orders", { expectedRows: 1000 }), moved("orders", undefined, 1000));
    expect(view.running[0]?.share).toBe(0.25);
  });

  test("begins anew when an attempt fails", () => {
    const retry: Body = {
      type: "task:retry",
      id: "orders",
      kind: "copy",
      object: "public.orders",
      attempt: 1,
      attempts: 3,
      delayMs: 100,
      error: { code: "copy", message: "lost" },
    };
    const view = viewAfter(PLAN, TASKS, started("orders", { expectedRows: 1000 }), moved("orders", 500, 2000), retry);
    expect(view.running[0]).toMatchObject({ rows: 0, bytes: 0, share: 0, attempt: 2 });
    expect(view.data[0]?.share).toBe(0);
  });

  test("in ranges has a number for each", () => {
    const view = viewAfter(PLAN, TASKS, started("a", { detail: "binary, range 3 of 8" }));
    expect(view.running[0]?.object).toBe("public.a (3/8)");
  });
});

describe("the whole", () => {
  test("ends at 100 %, whatever went over the wire", () => {
    const tables = ["a", "b"].flatMap((id) => [started(id, { bytes: 5000 }), moved(id, 10, 123_456), done(id, 200_000)]);
    const view = viewAfter(PLAN, TASKS, ...tables);
    expect(view.data).toEqual([expect.objectContaining({ share: 1, bytes: 10_000 })]);
    expect(view.tasks).toMatchObject({ done: 2, total: 4 });
    expect(view.running).toEqual([]);
  });

  test("small tables that share a task are one, and count one by one when they are in", () => {
    const batch = ["a", "b", "c"].map((id) => started(id, { batch: "copies:1", bytes: 100, expectedRows: 5 }));
    const during = viewAfter(PLAN, TASKS, ...batch);
    expect(during.running).toEqual([expect.objectContaining({ object: "3 small tables", share: undefined })]);
    const half = viewAfter(PLAN, TASKS, ...batch, done("a"), done("b"));
    expect(half.running).toHaveLength(1);
    expect(half.data[0]?.bytes).toBe(200);
    const after = viewAfter(PLAN, TASKS, ...batch, done("a"), done("b"), done("c"));
    expect(after.running).toEqual([]);
    expect(after.tasks?.done).toBe(1);
    expect(after.data[0]?.bytes).toBe(300);
  });

  test("speed is what goes over the wire, the end is guessed from the share", () => {
    const steps = Array.from({ length: 10 }, (_, i): Body => ({ ...moved("a", 50, 500), at: 3000 + (i + 1) * 1000 }));
    const view = viewAfter(PLAN, TASKS, { ...started("a", { bytes: 10_000, expectedRows: 1000 }), at: 3000 }, ...steps);
    expect(view.data[0]?.bytesPerSecond).toBeCloseTo(500);
    expect(view.data[0]?.leftMs).toBeCloseTo(10_000);
  });

  test("a run that starts over forgets what the first one had", () => {
    const over: Body = { type: "stage:done", stage: "tasks", ms: 1, failed: true };
    const view = viewAfter(PLAN, TASKS, started("a"), done("a"), started("b"), over, { ...PLAN, bytes: 5000 }, TASKS, started("c"));
    expect(view.running.map(({ object }) => object)).toEqual(["public.c"]);
    expect(view.tasks).toMatchObject({ done: 0 });
    expect(view.data[0]).toMatchObject({ share: 0, total: 5000 });
  });

  test.each<Body>([
    { type: "stage:done", stage: "tasks", ms: 1, failed: true },
    { type: "run:failed", error: { code: "cancelled", message: "" }, exitCode: 130, ms: 1, obstacles: [], differences: [] },
  ])("nothing is at work after $type", (end) => {
    const view = viewAfter(PLAN, TASKS, started("a"), end);
    expect(view).toEqual({ stages: [], running: [], data: [], tasks: undefined });
  });

  test("of a kind of task that it does not know it tells like of any other, with a sum of its own", () => {
    const kind = "export" as Started["kind"];
    const view = viewAfter(PLAN, TASKS, started("a"), done("a"), started("b", { kind, bytes: 2000 }), moved("b", undefined, 1000));
    expect(view.running).toEqual([expect.objectContaining({ kind, object: "public.b" })]);
    expect(view.data.map(({ kind: of, bytes }) => [of, bytes])).toEqual([
      ["copy", 4000],
      [kind, 1000],
    ]);
  });
});

describe("what is no copy", () => {
  const index = started("i", { kind: "index", bytes: 0 });
  const phase = (name: string, counted: number, total: number): Body => ({
    type: "build:progress",
    id: "i",
    phase: `building index: ${name}`,
    done: counted,
    total,
    unit: "blocks",
  });

  test("an index has its phase, and a percentage where the server counts", () => {
    expect(viewAfter(PLAN, TASKS, index).running[0]).toMatchObject({ share: undefined, build: undefined });
    const scanning = viewAfter(PLAN, TASKS, index, phase("scanning table", 30, 40));
    expect(scanning.running[0]).toMatchObject({ share: 0.75, build: { phase: "building index: scanning table" } });
    expect(
      viewAfter(PLAN, TASKS, index, phase("scanning table", 30, 40), phase("sorting live tuples", 0, 0)).running[0]?.share,
    ).toBeUndefined();
    expect(viewAfter(PLAN, TASKS, index, phase("loading", 40, 40)).running[0]?.share).toBe(0.99);
    expect(scanning.data).toEqual([]);
  });

  test("events of tasks that nobody has heard of do no harm", () => {
    const view = viewAfter(moved("x", 1, 1), phase("x", 1, 2), done("x"), PLAN, TASKS, started("a"));
    expect(view.running).toHaveLength(1);
    expect(view.tasks?.done).toBe(0);
  });

  test("a step of the run is told of while it lasts", () => {
    const during = viewAfter({ type: "stage:started", stage: "pg-dump" }, { type: "stage:started", stage: "catalog" });
    expect(during.stages).toEqual([
      { stage: "pg-dump", ms: 1000 },
      { stage: "catalog", ms: 0 },
    ]);
    expect(viewAfter({ type: "stage:started", stage: "swap" }, { type: "stage:done", stage: "swap", ms: 1, failed: false }).stages).toEqual(
      [],
    );
  });
});
