import { describe, expect, test } from "vitest";

import type { Stage, SyncEvent, SyncEventBody } from "../events.ts";
import { chromeTrace, traceReporter } from "./trace.ts";
import type { ChromeTrace, TraceEvent } from "./trace-event.ts";

const SERVER = { host: "db1.secret.example", port: 5432, user: "secretuser", database: "Main_DB", version: "" };
const BEGIN: SyncEventBody = {
  type: "run:started",
  format: 1,
  version: "0.1.0",
  source: SERVER,
  target: { ...SERVER, database: "Archive_DB" },
  mode: "staging",
  strategy: "copy",
  jobs: 2,
  batchSize: 1,
  connections: 2,
};

/** Pairs of a moment in milliseconds and what is told then. */
type Script = ReadonlyArray<readonly [number, SyncEventBody]>;

function events(script: Script): SyncEvent[] {
  return script.map(([at, body]) => ({ ...body, at, run: "tf3k2a9x0z", time: new Date(Date.UTC(2026, 6, 1) + at).toISOString() }));
}

const stage = (name: Stage, from: number, to: number, failed = false): Script => [
  [from, { type: "stage:started", stage: name }],
  [to, { type: "stage:done", stage: name, ms: to - from, failed }],
];
const started = (id: string, worker: number, object = `public.${id}`): SyncEventBody => ({
  type: "task:started",
  id,
  kind: "copy",
  object,
  parts: 1,
  bytes: 8192,
  detail: "binary",
  worker,
  waitedMs: 12,
});
const done = (id: string, worker: number, ms: number): SyncEventBody => ({
  type: "task:done",
  id,
  kind: "copy",
  object: `public.${id}`,
  parts: 1,
  rows: 1500,
  bytes: 2_000_000,
  ms,
  worker,
  attempts: 1,
  backends: { source: 11, target: 22 },
});

function spans(trace: ChromeTrace): Array<Pick<TraceEvent, "name" | "tid" | "ts" | "dur"> & { args: Record<string, unknown> }> {
  return trace.traceEvents
    .filter((event) => event.ph === "X")
    .map(({ name, tid, ts, dur, args = {} }) => ({ name, tid, ts, dur, args: { ...args } }));
}

function rows(trace: ChromeTrace): Record<number, unknown> {
  const names = trace.traceEvents.filter((event) => event.name === "thread_name");
  return Object.fromEntries(names.map(({ tid, args }) => [tid, args?.["name"]]));
}

const RUN = 10_000_000;

describe("a run that succeeds", () => {
  const trace = chromeTrace(
    events([
      [0, BEGIN],
      ...stage("connect", 1, 20.5),
      [21, { type: "message", level: "warning", code: "default-password", message: "It is 0206.", hint: "hunter2" }],
      [30, { type: "stage:started", stage: "pg-dump" }],
      ...stage("catalog", 31, 50),
      [90, { type: "stage:done", stage: "pg-dump", ms: 60, failed: false }],
      [100, { type: "stage:started", stage: "tasks" }],
      [100, started("orders", 1)],
      [100, started("items", 2)],
      [600, { type: "task:progress", id: "orders", bytes: 1_000_000 }],
      [1100, done("orders", 1, 1000)],
      [1100.25, { ...started("orders_pkey", 1), kind: "index", bytes: 0, detail: "" } as SyncEventBody],
      [1300, { ...done("orders_pkey", 1, 200), kind: "index", rows: 0, bytes: 0, backends: {} } as SyncEventBody],
      [2100, done("items", 2, 2000)],
      [2100, { type: "stage:done", stage: "tasks", ms: 2000, failed: false }],
      [2200, { type: "run:done", tables: 2, rows: 3000, bytes: 4e6, ms: 2200, warnings: 1, database: "Archive_DB" }],
    ]),
  );

  test("each task on its worker's row, the run's own stages above, what goes on at the same time on a row of its own", () => {
    expect(rows(trace)).toEqual({
      [RUN]: "run",
      [RUN + 1]: "run, at the same time",
      1: "worker 1 (60% busy)",
      2: "worker 2 (100% busy)",
    });
    expect(spans(trace).map(({ name, tid, ts, dur }) => [name, tid, ts, dur])).toEqual([
      ["connect", RUN, 1000, 19_500],
      ["pg_dump reads the schema", RUN, 30_000, 60_000],
      ["catalog queries", RUN + 1, 31_000, 19_000],
      ["run the tasks", RUN, 100_000, 2_000_000],
      ["copy public.items", 2, 100_000, 2_000_000],
      ["copy public.orders", 1, 100_000, 1_000_000],
      ["index public.orders_pkey", 1, 1_100_250, 199_750],
    ]);
  });

  test("says of a task what it moved, how, how long it had been ready, and which backends", () => {
    const found = spans(trace);
    expect(found.find(({ name }) => name === "copy public.orders")?.args).toEqual({
      object: "public.orders",
      format: "binary",
      sourceBytes: 8192,
      rows: 1500,
      bytes: 2_000_000,
      "MB/s": 2,
      attempts: 1,
      sourceBackend: 11,
      targetBackend: 22,
      waitedMs: 12,
    });
    expect(found.find(({ name }) => name.startsWith("index"))?.args).toEqual({ object: "public.orders_pkey", attempts: 1, waitedMs: 12 });
  });

  test("has the sum of what all copies moved as a curve", () => {
    const curve = trace.traceEvents.filter(({ ph }) => ph === "C");
    expect(new Set(curve.map(({ name }) => name))).toEqual(new Set(["copied"]));
    const steps = curve.map(({ ts = 0, args }) => [ts / 1000, Number(args?.["MB/s"])] as const);
    const sum = steps.reduce((all, [at, rate], i) => all + (rate * ((steps[i + 1]?.[0] ?? at) - at)) / 1000, 0);
    expect(sum).toBeCloseTo(4, 1);
    expect(steps.at(-1)?.[1]).toBe(0);
  });

  test("is JSON, in the order of time, of one process; and holds no host, user, password or message", () => {
    const text = JSON.stringify(trace);
    expect(JSON.parse(text)).toEqual(trace);
    expect(text).not.toMatch(/secret|hunter2|0206/);
    const times = trace.traceEvents.flatMap(({ ph, ts }) => (ph === "M" ? [] : [ts ?? -1]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(trace.traceEvents.map(({ pid }) => pid))).toEqual(new Set([RUN]));
    expect(trace.otherData).toMatchObject({ run: "tf3k2a9x0z", source: "Main_DB", target: "Archive_DB", end: "done" });
    expect(trace.traceEvents).toContainEqual(expect.objectContaining({ ph: "i", name: "warning: default-password" }));
  });
});

test("a run that fails: the task that did, those that were cancelled with it, and what was seen after", () => {
  const error = { code: "copy", message: "invalid input: hunter2", sqlstate: "22P02" } as const;
  const script: Script = [
    [0, BEGIN],
    [100, { type: "stage:started", stage: "tasks" }],
    [100, started("orders", 1)],
    [100, started("items", 2)],
    [150, { type: "task:retry", id: "items", kind: "copy", object: "public.items", attempt: 1, attempts: 3, delayMs: 20, error }],
    [200, { type: "task:failed", id: "orders", kind: "copy", object: "public.orders", error }],
    [230, { type: "stage:done", stage: "tasks", ms: 130, failed: true }],
    ...stage("drop-staging", 240, 300),
    [310, { type: "run:failed", error, exitCode: 1, ms: 310, obstacles: [], differences: [] }],
  ];
  const trace = chromeTrace(events(script));
  expect(spans(trace)).toEqual([
    { name: "run the tasks", tid: RUN, ts: 100_000, dur: 130_000, args: { failed: true } },
    expect.objectContaining({ name: "copy public.items", tid: 2, dur: 130_000, args: expect.objectContaining({ cancelled: true }) }),
    expect.objectContaining({
      name: "copy public.orders",
      tid: 1,
      dur: 100_000,
      args: expect.objectContaining({ failed: "copy", sqlstate: "22P02" }),
    }),
    { name: "drop the staging database", tid: RUN, ts: 240_000, dur: 60_000, args: {} },
  ]);
  expect(trace.traceEvents).toContainEqual(
    expect.objectContaining({
      ph: "i",
      name: "attempt 1 failed",
      tid: 2,
      ts: 150_000,
      args: { object: "public.items", code: "copy", sqlstate: "22P02", delayMs: 20 },
    }),
  );
  expect(trace.otherData["end"]).toBe("copy");
  expect(JSON.stringify(trace)).not.toContain("hunter2");
});

test("in the middle of a run: what has not ended is drawn up to here, and goes on afterwards", () => {
  const { report, trace } = traceReporter();
  const script = events([
    [0, BEGIN],
    [100, { type: "stage:started", stage: "tasks" }],
    [100, started("orders", 1)],
    [300, { type: "task:progress", id: "orders", bytes: 10 }],
    [400, done("orders", 1, 300)],
  ]);
  for (const event of script.slice(0, -1)) report(event);
  expect(spans(trace()).map(({ name, dur, args }) => [name, dur, args["unfinished"]])).toEqual([
    ["run the tasks", 200_000, true],
    ["copy public.orders", 200_000, true],
  ]);
  for (const event of script.slice(-1)) report(event);
  expect(spans(trace()).find(({ name }) => name === "copy public.orders")).toMatchObject({ dur: 300_000, args: { rows: 1500 } });
});

test("small tables that share a task are one bar with their sum; a range of a large table says which", () => {
  const batch = "copies:1";
  const error = { code: "copy", message: "lost", sqlstate: "08006" } as const;
  const script: Script = [
    [0, BEGIN],
    [100, { ...started("a", 1), batch } as SyncEventBody],
    [100, { ...started("b", 1), batch } as SyncEventBody],
    [100, { ...started("big/2", 2, "public.big"), group: "public.big", parts: 3, detail: "binary, range 2 of 3" } as SyncEventBody],
    [200, { type: "task:retry", id: batch, kind: "copy", object: "2 small tables", attempt: 1, attempts: 3, delayMs: 2000, error }],
    [3000, done("a", 1, 800)],
    [3000, done("b", 1, 800)],
    [3000, done("big/2", 2, 2900)],
  ];
  const trace = chromeTrace(events(script));
  expect(spans(trace).map(({ name, tid, ts, dur }) => [name, tid, ts, dur])).toEqual([
    ["copy 2 small tables", 1, 100_000, 2_900_000],
    ["copy public.big, range 2 of 3", 2, 100_000, 2_900_000],
  ]);
  const [small, big] = spans(trace);
  expect(small?.args).toMatchObject({ tables: "public.a, public.b", sourceBytes: 16_384, rows: 3000, bytes: 4_000_000, attempts: 1 });
  expect(big?.args).toMatchObject({ object: "public.big", format: "binary", range: "range 2 of 3" });
  expect(big?.args).not.toHaveProperty("partitionOf");
  expect(trace.traceEvents).toContainEqual(expect.objectContaining({ ph: "i", name: "attempt 1 failed", tid: 1 }));
  // the batch is drawn as it came in, after the second attempt began
  const peak = Math.max(...trace.traceEvents.filter(({ ph }) => ph === "C").map(({ args }) => Number(args?.["MB/s"])));
  expect(peak).toBeLessThan(8);

  const failed = chromeTrace(
    events([...script.slice(0, 5), [300, { type: "task:failed", id: batch, kind: "copy", object: "2 small tables", error }]]),
  );
  expect(spans(failed).find(({ tid }) => tid === 1)).toMatchObject({
    name: "copy 2 small tables",
    dur: 200_000,
    args: { failed: "copy", sqlstate: "08006" },
  });
});

test("many workers sort by number where a viewer sorts by name", () => {
  const trace = chromeTrace(
    events([
      [0, BEGIN],
      [1, started("a", 2)],
      [2, started("b", 10)],
    ]),
  );
  expect(rows(trace)).toMatchObject({ 2: "worker 02", 10: "worker 10" });
});
