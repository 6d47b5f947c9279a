import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";

import type { SyncEvent, SyncEventBody } from "../events.ts";
import { humanReporter } from "./human.ts";

const SERVER = { host: "db1", port: 5432, user: "app", database: "Main_DB", version: "" };
const BEGIN: SyncEventBody = {
  type: "run:started",
  format: 1,
  version: "0.1.0",
  source: SERVER,
  target: { ...SERVER, host: "db2", database: "Archive_DB" },
  mode: "staging",
  strategy: "copy",
  jobs: 4,
  batchSize: 2,
  connections: 8,
};
const STARTED = { worker: 1, waitedMs: 0 };
const DONE = { worker: 1, attempts: 1, backends: {} };
const FAILURE = { code: "server", message: "connection lost", sqlstate: "08006" } as const;

/** Every event is one second later than the one before. */
function report(bodies: readonly SyncEventBody[], colours = false): { out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const tell = humanReporter({
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    colours,
    clock: (time) => time.slice(11, 19),
  });
  for (const [i, body] of bodies.entries()) {
    const event: SyncEvent = { ...body, run: "tf3k2a9x0z", at: i * 1000, time: new Date(Date.UTC(2026, 6, 1, 2, 0, i)).toISOString() };
    tell(event);
  }
  return { out, err };
}

const copy = (id: string, object: string, group?: string, parts = 1): SyncEventBody[] => [
  { type: "task:started", id, kind: "copy", object, group, parts, bytes: 8192, detail: "binary", ...STARTED },
  { type: "task:done", id, kind: "copy", object, group, parts, rows: 1500, bytes: 2048, ms: 700, ...DONE },
];
const task = (kind: "index" | "analyze" | "refresh", object: string): SyncEventBody[] => [
  { type: "task:started", id: object, kind, object, parts: 1, bytes: 0, detail: "", ...STARTED },
  { type: "task:done", id: object, kind, object, parts: 1, rows: 0, bytes: 0, ms: 65_000, ...DONE },
];

test("a whole run", () => {
  const [ordersStarted, ordersDone] = copy("1", "public.orders");
  const [firstStarted, firstDone] = copy("2", "public.tx_2025", "public.transactions", 2);
  const [secondStarted, secondDone] = copy("3", "public.tx_2026", "public.transactions", 2);
  const { out, err } = report(
    [
      BEGIN,
      {
        type: "run:connected",
        source: { ...SERVER, version: "15.18" },
        target: { ...SERVER, version: "18.4" },
      },
      { type: "message", level: "warning", code: "default-password", message: "The default password is used.", hint: "Set one." },
      { type: "message", level: "info", code: "pg-dump", message: "The built-in pg_dump is used." },
      { type: "phase:started", phase: 1, of: 4, name: "Schema Synchronization" },
      { type: "plan:ready", tables: 3, bytes: 24_576, tasks: 9, pgDump: "pg_dump 18.4", snapshot: "00000003-0000001B-1" },
      { type: "staging:created", database: "Archive_DB__pgditto_tf3k2a9x0z" },
      { type: "phase:started", phase: 2, of: 4, name: "Data Copy" },
      ordersStarted,
      firstStarted,
      secondStarted,
      { type: "task:progress", id: "1", bytes: 100 },
      firstDone,
      { type: "task:retry", id: "1", kind: "copy", object: "public.orders", attempt: 1, attempts: 3, delayMs: 2000, error: FAILURE },
      secondDone,
      ordersDone,
      { type: "phase:started", phase: 3, of: 4, name: "Indexes, Constraints and the Rest" },
      ...task("index", "public.orders_pkey"),
      ...task("analyze", "3 small tables"),
      ...task("refresh", "shop.best_sellers"),
      { type: "phase:started", phase: 4, of: 4, name: "Validation" },
      { type: "verify:done", tables: 3, rows: 4500, objects: 1, checksums: false, differences: [] },
      { type: "swap:done", database: "Archive_DB" },
      { type: "cleanup", object: "Archive_DB__pgditto_tf00000000", removed: true, reason: "left by run tf00000000" },
      { type: "run:done", tables: 3, rows: 4500, bytes: 6144, ms: 28_000, warnings: 1, database: "Archive_DB" },
    ].filter((event): event is SyncEventBody => event !== undefined),
  );
  expect(err).toEqual([]);
  expect(`\n${out.join("\n")}\n`).toBe(`
================================================================================
SYNC CONFIGURATION
================================================================================
  Source (MAIN)    : app@db1:5432/Main_DB
  Target (ARCHIVE) : app@db2:5432/Archive_DB
  Started          : 2026-07-01 02:00:00
  Jobs             : 4 parallel connections
  Tables at once   : 2 (8 connections in all)
  Mode             : staging
  Strategy         : copy
  Run              : tf3k2a9x0z (pgditto 0.1.0)
================================================================================
[02:00:01] [SERVER] [DONE     ] connected                           | source PostgreSQL 15.18, target PostgreSQL 18.4
[02:00:02] [NOTE  ] [WARNING  ] default-password                    | The default password is used. Set one.
[02:00:03] [NOTE  ] [INFO     ] pg-dump                             | The built-in pg_dump is used.

PHASE 1/4: Schema Synchronization
--------------------------------------------------------------------------------
[02:00:05] [PLAN  ] [DONE     ] 3 tables                            | 24.0K in 9 tasks; schema read with pg_dump 18.4; snapshot 00000003-0000001B-1
[02:00:06] [SCHEMA] [DONE     ] staging database                    | Archive_DB__pgditto_tf3k2a9x0z

PHASE 2/4: Data Copy
--------------------------------------------------------------------------------
[02:00:08] [COPY  ] [STARTED  ] orders                              | Standard Table
[02:00:09] [COPY  ] [STARTED  ] transactions                        | Partitioned (2 parts)
[02:00:13] [COPY  ] [RETRY    ] orders                              | attempt 1 of 3 failed, next in 2.0s: connection lost
[02:00:14] [COPY  ] [DONE     ] transactions                        | Rows: 3,000, Size: 4.0K, Time: 5.0s
[02:00:15] [COPY  ] [DONE     ] orders                              | Rows: 1,500, Size: 2.0K, Time: 0.7s

PHASE 3/4: Indexes, Constraints and the Rest
--------------------------------------------------------------------------------
[02:00:18] [INDEX ] [DONE     ] orders_pkey                         | Time: 1m 05s
[02:00:21] [MVIEW ] [STARTED  ] shop.best_sellers                   | 
[02:00:22] [MVIEW ] [DONE     ] shop.best_sellers                   | Time: 1m 05s

PHASE 4/4: Validation
--------------------------------------------------------------------------------
[02:00:24] [COUNT ] [DONE     ] 3 tables                            | 4,500 rows counted on both sides, 1 object compared, 0 differences
[02:00:25] [SWAP  ] [DONE     ] Archive_DB                          | the new database is live

FINAL CLEANUP
--------------------------------------------------------------------------------
[02:00:26] [CLEAN ] [DONE     ] Archive_DB__pgditto_tf00000000      | removed: left by run tf00000000
nothing of this run is left behind

================================================================================
SYNC COMPLETED SUCCESSFULLY
================================================================================
  Database : Archive_DB
  Tables   : 3
  Rows     : 4,500, counted on both sides
  Size     : 6.0K of rows, 219B/s
  Time     : 28s
  Warnings : 1
================================================================================
`);
});

test("a run that fails: the block goes to the other stream", () => {
  const { out, err } = report([
    {
      type: "task:failed",
      id: "1",
      kind: "copy",
      object: "public.orders",
      error: { code: "copy", message: "could not extend file", sqlstate: "53100" },
    },
    { type: "cleanup", object: "staging", removed: false, reason: "somebody is connected" },
    {
      type: "run:failed",
      exitCode: 1,
      ms: 5000,
      obstacles: [],
      differences: [],
      error: {
        code: "copy",
        message: "could not extend file",
        object: "public.orders",
        side: "target",
        sqlstate: "53100",
        hint: "Make room.",
        detail: "first\nsecond",
        task: "copy",
      },
    },
  ]);
  expect(out).toEqual([
    "[02:00:00] [COPY  ] [FAILED   ] orders                              | could not extend file",
    "",
    "FINAL CLEANUP",
    "-".repeat(80),
    "[02:00:01] [CLEAN ] [FAILED   ] staging                             | could not be removed: somebody is connected",
  ]);
  expect(err).toEqual([
    "",
    "=".repeat(80),
    "ERROR DETAILS",
    "=".repeat(80),
    "  What      : copy: public.orders",
    "  Side      : target (ARCHIVE)",
    "  SQLSTATE  : 53100",
    "  Message   : could not extend file",
    "  Detail    : first",
    "              second",
    "  Hint      : Make room.",
    "  Exit code : 1",
    "=".repeat(80),
  ]);
});

describe("details", () => {
  test("equal table names in different schemas are told apart; only public is left unsaid", () => {
    const { out } = report([...copy("1", "public.orders"), ...copy("2", "archive.orders"), ...copy("3", '"public.x".orders')]);
    expect(out.filter((line) => line.includes("STARTED")).map((line) => line.slice(32).split("|")[0]?.trim())).toEqual([
      "orders",
      "archive.orders",
      '"public.x".orders',
    ]);
  });

  test("the kept database is named", () => {
    const { out } = report([
      { type: "swap:done", database: "a", previous: "a_previous" },
      { type: "run:done", tables: 0, rows: 0, bytes: 0, ms: 0, warnings: 0, database: "a", previous: "a_previous" },
    ]);
    expect(out[0]).toContain("the new database is live; the old one is a_previous");
    expect(out).toContain("  Database : a (the old one is a_previous)");
    expect(out).toContain("  Size     : 0B of rows, 0B/s");
  });

  test("a difference makes the count fail", () => {
    const difference = { kind: "rows", object: "t", source: "1 rows", target: "0 rows" };
    const { out } = report([{ type: "verify:done", tables: 1, rows: 1, objects: 2, checksums: false, differences: [difference] }]);
    expect(out[0]).toContain("[COUNT ] [FAILED   ] 1 table ");
    expect(out[0]).toContain("1 row counted on both sides, 2 objects compared, 1 difference");
  });

  test("a name cannot move the cursor, paint, or break the line", () => {
    const { out } = report(copy("1", 'public."a\u001B[2J\r\nb\u009B"'));
    for (const line of out) expect(line).not.toMatch(/\p{Cc}/u);
    expect(out[0]).toContain('"a [2J \\nb "');
  });

  test("colours by state; and the columns do not move for them", () => {
    const painted = report([BEGIN, ...copy("1", "t")], true).out;
    const plain = report([BEGIN, ...copy("1", "t")]).out;
    expect(painted.at(-2)).toContain("[\u001B[33mSTARTED  \u001B[0m]");
    expect(painted.at(-1)).toContain("[\u001B[32mDONE     \u001B[0m]");
    expect(painted.map((line) => stripVTControlCharacters(line))).toEqual(plain);
    expect(plain.join("")).not.toContain("\u001B");
  });
});
