import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { TaskKind } from "../events.ts";
import { progressLines } from "./progress-lines.ts";
import { progressText } from "./progress-text.ts";
import type { RunningView } from "./progress-task.ts";
import type { ProgressView } from "./progress.ts";
import { painter } from "./style.ts";

const PLAIN = painter(false);
const STYLE = { paint: PLAIN, clock: (time: string) => time.slice(11, 19) };
const TIME = "2026-07-01T02:00:00.000Z";

function running(more: Partial<RunningView> = {}): RunningView {
  return {
    kind: "copy",
    object: "public.orders",
    ms: 61_000,
    share: 0.256,
    rows: 256_000,
    expectedRows: 1_000_000,
    bytes: 20_000_000,
    build: undefined,
    attempt: 1,
    ...more,
  };
}
const INDEX = running({
  kind: "index",
  object: "public.orders_pkey",
  share: 0.5,
  rows: 0,
  bytes: 0,
  build: { phase: "building index: scanning table", done: 2000, total: 4000, unit: "blocks" },
});
const DATA = { kind: "copy", share: 0.5, bytes: 2 ** 30, total: 2 ** 31, bytesPerSecond: 2 ** 20, leftMs: 65_000 } as const;
const VIEW: ProgressView = { stages: [], running: [running(), INDEX], data: [DATA], tasks: { done: 40, total: 98, ms: 3_700_000 } };

const draw = (view: ProgressView, columns: number, rows: number) => progressLines(view, { columns, rows, paint: PLAIN });

describe("the lines under the log", () => {
  test("on a wide terminal", () => {
    expect(draw(VIEW, 120, 24)).toEqual(
      [
        "",
        "COPY   orders                              [====            ] 25 %  256,000 of ~1,000,000 rows, 19.1M            1m 01s",
        "INDEX  orders_pkey                         [========        ] 50 %  scanning table, 2,000 of 4,000 blocks        1m 01s",
        "COPY   all tables                          [========        ] 50 %  1.0G of 2.0G, 1.0M/s, ETA 1m 05s",
        "ALL    all tasks                           [=======         ] 40 %  40 of 98 tasks, 2 at work                1h 01m 40s",
      ].map((line) => line.padEnd(line === "" ? 0 : 119)),
    );
  });

  test("on one of 80 columns, of 40 and of 20", () => {
    expect(draw(VIEW, 80, 24).map((line) => line.trimEnd())).toMatchInlineSnapshot(`
      [
        "",
        "COPY   orders                [===       ] 25 %  256,000 rows, 19.1M      1m 01s",
        "INDEX  orders_pkey           [=====     ] 50 %  scanning table           1m 01s",
        "COPY   all tables            [=====     ] 50 %  1.0M/s, ETA 1m 05s",
        "ALL    all tasks             [====      ] 40 %  40 of 98 tasks       1h 01m 40s",
      ]
    `);
    expect(draw(VIEW, 40, 24).map((line) => line.trimEnd())).toMatchInlineSnapshot(`
      [
        "",
        "COPY   orders  256,000 rows, 19.1M 25 %",
        "INDEX  orders_pkey  scanning table 50 %",
        "COPY   all tables  ETA 1m 05s      50 %",
        "ALL    all tasks  40 of 98 tasks   40 %",
      ]
    `);
    expect(draw(VIEW, 20, 24).map((line) => line.trimEnd())).toMatchInlineSnapshot(`
      [
        "",
        "orders  19.1M  25 %",
        "orders_pkey    50 %",
        "all tables     50 %",
        "all tasks      40 %",
      ]
    `);
  });

  test("32 tasks on ten lines: as many as fit, and how many more", () => {
    const lines = draw({ ...VIEW, running: Array.from({ length: 32 }, (_, i) => running({ object: `public.t${i}` })) }, 80, 10);
    expect(lines.map((line) => line.replace(/ {2,}.*/, "").trim())).toEqual(
      ["COPY", "COPY", "COPY", "COPY", "… and 28 more", "COPY", "ALL"].slice(-lines.length),
    );
    expect(lines.at(-2)).toContain("all tables");
  });

  test("without an estimate no percentage; what has only begun or lasts a moment is not shown", () => {
    const view = { ...VIEW, data: [], tasks: undefined };
    const [line] = draw({ ...view, running: [running({ share: undefined, expectedRows: undefined })] }, 120, 3);
    expect(line).toMatch(/^COPY +orders +\[-+\] +256,000 rows, 19\.1M +1m 01s$/);
    expect(line).not.toContain("%");
    expect(draw({ ...view, running: [running({ ms: 100 })] }, 120, 24)).toEqual([]);
    expect(draw({ ...view, running: [], stages: [{ stage: "swap", ms: 10 }] }, 120, 24)).toEqual([]);
    expect(draw({ ...view, running: [], stages: [{ stage: "swap", ms: 3000 }] }, 120, 24).join("")).toContain("swapping names");
    // somebody is being asked
    expect(draw({ ...view, running: [], stages: [{ stage: "confirm", ms: 3000 }] }, 120, 24)).toEqual([]);
  });

  test("all rows are in: only tasks are left", () => {
    const lines = draw({ ...VIEW, running: [INDEX], data: [{ ...DATA, share: 1 }] }, 120, 24);
    expect(lines.join("\n")).not.toContain("all tables");
    expect(lines.join("\n")).toContain("all tasks");
  });

  test("a kind of task without a label has its name", () => {
    expect(draw({ ...VIEW, running: [running({ kind: "export" as TaskKind })] }, 120, 24)[1]).toMatch(/^EXPORT orders /);
  });

  test("colours take no columns", () => {
    const coloured = progressLines(VIEW, { columns: 100, rows: 24, paint: painter(true) });
    expect(coloured.map(stripVTControlCharacters)).toEqual(draw(VIEW, 100, 24));
    expect(coloured.join("")).toContain("\u001B[");
  });
});

/** Characters of names, with the columns that they take; what is not here takes one. */
const COLUMNS: Readonly<Record<string, number>> = { 訂: 2, 한: 2, "🚚": 2, "\u0301": 0, ｗ: 2 };
const name = fc.string({
  unit: fc.constantFrom("a", "b", " ", ".", "\n", "\u001B", "\u0007", "é", ...Object.keys(COLUMNS)),
  maxLength: 80,
});

function widthOf(line: string): number {
  return Array.from(line).reduce((sum, character) => sum + (COLUMNS[character] ?? 1), 0);
}

const share = fc.option(fc.double({ min: 0, max: 0.99, noNaN: true }), { nil: undefined });
const amount = fc.oneof(fc.nat(), fc.constant(0), fc.maxSafeNat());
const task = fc.record({
  kind: fc.constantFrom<TaskKind>("copy", "index", "small-builds", "refresh", "import" as TaskKind),
  object: name,
  ms: amount,
  share,
  rows: amount,
  expectedRows: fc.option(amount, { nil: undefined }),
  bytes: amount,
  build: fc.option(fc.record({ phase: name, done: amount, total: amount, unit: fc.constantFrom("blocks" as const, "rows" as const) }), {
    nil: undefined,
  }),
  attempt: fc.integer({ min: 1, max: 100 }),
});
const view = fc.record({
  stages: fc.array(fc.record({ stage: fc.constantFrom("pg-dump" as const, "confirm" as const, "catalog" as const), ms: amount }), {
    maxLength: 3,
  }),
  running: fc.array(task, { maxLength: 40 }),
  data: fc.array(
    fc.record({
      kind: fc.constantFrom<TaskKind>("copy"),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: amount,
      total: amount,
      bytesPerSecond: amount,
      leftMs: fc.option(amount, { nil: undefined }),
    }),
    { maxLength: 2 },
  ),
  tasks: fc.option(fc.record({ done: fc.nat(5000), total: fc.nat(5000), ms: amount }), { nil: undefined }),
});

test("whatever runs: no line as wide as the terminal, fewer lines than it has, and nothing that moves the cursor", () => {
  fc.assert(
    fc.property(view, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), (of, columns, rows) => {
      const lines = draw(of, columns, rows);
      expect(lines.length).toBeLessThan(rows);
      for (const line of lines) {
        expect(widthOf(line)).toBeLessThan(columns);
        expect(line).not.toMatch(/\p{Cc}/u);
      }
    }),
    { numRuns: 500 },
  );
});

describe("a line of the log", () => {
  test("says how far the rows are, and what is at work", () => {
    const more = { ...VIEW, running: [...VIEW.running, running({ share: undefined, object: "public.t" }), running(), running()] };
    expect(progressText(more, STYLE, TIME)).toBe(
      "[02:00:00] [COPY  ] [PROGRESS ] 50 % of all tables                  | 1.0G of 2.0G, 1.0M/s, ETA 1m 05s; 40 of 98 tasks; COPY orders 25 %, INDEX orders_pkey scanning table 50 %, COPY t, and 2 more",
    );
  });

  test("when the rows are in, how many tasks are left", () => {
    expect(progressText({ ...VIEW, data: [], running: [INDEX] }, STYLE, TIME)).toBe(
      "[02:00:00] [ALL   ] [PROGRESS ] 40 of 98 tasks                      | INDEX orders_pkey scanning table 50 %",
    );
  });

  test("a step of the run; nothing where nothing goes on, or somebody is asked", () => {
    const idle: ProgressView = { stages: [], running: [], data: [], tasks: undefined };
    expect(progressText(idle, STYLE, TIME)).toBeUndefined();
    expect(progressText({ ...idle, stages: [{ stage: "confirm", ms: 60_000 }] }, STYLE, TIME)).toBeUndefined();
    expect(progressText({ ...idle, stages: [{ stage: "pg-dump", ms: 60_000 }] }, STYLE, TIME)).toContain("pg_dump reads the schema");
  });

  test("is one line, whatever names hold", () => {
    fc.assert(
      fc.property(view, (of) => {
        expect(progressText(of, STYLE, TIME) ?? "").not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
