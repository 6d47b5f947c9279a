import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { SyncEvent } from "../../src/index.ts";
import { backendsOf, databasesOf, expectNoBackends, SLOW, until } from "../support/cli-run.ts";
import { freshDatabase, freshShop, reservedDatabase } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";

// what is published, not the sources
const { sync, plan, doctor, PgdittoError } = (await import(
  new URL("../../dist/index.js", import.meta.url).href
)) as typeof import("../../src/index.ts");

const SLOW_ROWS = {
  sql: `${SLOW} CREATE TABLE t (i int CHECK (i % 10 <> 0 OR slow(i, 0.02)), filler text);
    INSERT INTO t SELECT n, repeat(md5(n::text), 60) FROM generate_series(1, 4000) n;`,
};
/** In a staging database it takes five seconds, and progress is told every second. */
const SLOW_INDEX = { sql: `${SLOW} CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 500) n; CREATE INDEX ON t (slow(i, 0.01));` };
/** For events that a small table does not bring. */
const SLOWLY = new Map<SyncEvent["type"], { sql: string }>([
  ["task:progress", SLOW_ROWS],
  ["build:progress", SLOW_INDEX],
]);

describe("own SQL as options", () => {
  test("hooks and variables; a hook's own mistake is the caller's cause", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
    await using target = reservedDatabase("target");
    const ends = { source: source.url, target: target.url };
    const mine = new Error("mine");
    await expect(
      sync({
        ...ends,
        hooks: {
          after: () => {
            throw mine;
          },
        },
      }),
    ).rejects.toMatchObject({ code: "sql", cause: mine, object: "hook after" });
    const seen: unknown[] = [];
    await sync({
      ...ends,
      hooks: {
        "after-data": async ({ query, stage, signal }) => {
          seen.push(stage, signal.aborted, await query<{ i: number }>("UPDATE t SET i = i + $1 RETURNING i", [6]));
        },
      },
    });
    expect(seen).toEqual(["after-data", false, [{ i: 7 }]]);
    expect(await target.sql("SELECT i FROM t")).toEqual([{ i: 7 }]);
    expect((await plan({ ...ends, hooks: { after: () => undefined } })).sql).toEqual([
      { stage: "after", name: "hook after", statements: undefined, transaction: false },
    ]);
    await expect(sync({ ...ends, set: ["x"] })).rejects.toMatchObject({ code: "usage", object: "set" });
  });
});

describe("several runs in one process", () => {
  test("to different targets at once: each complete, with events of its own", async () => {
    await using source = await freshShop("source");
    await using one = reservedDatabase("target");
    await using two = reservedDatabase("target");
    const events: SyncEvent[][] = [[], []];
    const results = await Promise.all(
      [one, two].map((target, i) =>
        sync({ source: source.url, target: target.url, jobs: 2, onEvent: (event) => void events[i]?.push(event) }),
      ),
    );
    const expected = await contents(source.url);
    for (const [i, target] of [one, two].entries()) {
      expect(await contents(target.url)).toEqual(expected);
      expect(new Set(events[i]?.map((event) => event.run))).toEqual(new Set([results[i]?.run]));
      expect(events[i]?.[0]).toMatchObject({ type: "run:started", format: 1 });
      expect(events[i]?.at(-1)).toMatchObject({ type: "run:done", rows: results[i]?.rows, database: target.name });
      expect(results[i]?.tables.reduce((sum, table) => sum + table.rows, 0)).toBe(results[i]?.rows);
      // plain data
      expect(JSON.parse(JSON.stringify(events[i]))).toHaveLength(events[i]?.length ?? 0);
    }
  });

  test("aborting one leaves the other alone", async () => {
    await using source = await freshDatabase("source", SLOW_ROWS);
    await using stopped = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    await using goesOn = reservedDatabase("target");
    const controller = new AbortController();
    let copies = false;
    const first = sync({
      source: source.url,
      target: stopped.url,
      yes: true,
      signal: controller.signal,
      onEvent: (event) => {
        copies ||= event.type === "task:progress";
      },
    });
    first.catch(() => {});
    const second = sync({ source: source.url, target: goesOn.url });
    await until(() => copies);
    controller.abort(new Error("enough"));
    const started = Date.now();
    await expect(first).rejects.toMatchObject({
      name: "PgdittoError",
      code: "cancelled",
      exitCode: 130,
      cause: expect.objectContaining({ message: "enough" }),
    });
    expect(Date.now() - started).toBeLessThan(5000);
    expect(await databasesOf(stopped.name)).toEqual([stopped.name]);
    expect(await stopped.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
    await second;
    expect(await contents(goesOn.url)).toEqual(await contents(source.url));
    await expectNoBackends(process.pid);
  });

  test("a signal that is aborted already: nothing is connected to", async () => {
    const url = "postgresql://127.0.0.1:1/x";
    await expect(sync({ source: url, target: url, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("a listener that throws", () => {
  test.each([
    "run:started",
    "phase:started",
    "staging:created",
    "task:started",
    "task:progress",
    "build:progress",
    "task:done",
    "verify:done",
  ] as const)("at %s: the run ends with its words, nothing is swapped, nothing left", async (type) => {
    // progress is told every quarter of a second, so there must be something to tell
    await using source = await freshDatabase("source", SLOWLY.get(type) ?? { sql: "CREATE TABLE t AS SELECT 1 AS i" });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    let thrown = 0;
    const run = sync({
      source: source.url,
      target: target.url,
      yes: true,
      onEvent: (event) => {
        if (event.type !== type) return;
        thrown += 1;
        throw new Error("the listener broke");
      },
    });
    const error: unknown = await run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(thrown).toBeGreaterThan(0);
    expect(error).toBeInstanceOf(PgdittoError);
    expect(JSON.stringify([(error as Error).message, String((error as Error).cause)])).toContain("the listener broke");
    expect(await databasesOf(target.name)).toEqual([target.name]);
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
    await expectNoBackends(process.pid);
  });
});

test("options that are wrong, from a caller without types", async () => {
  const wrong = (options: Record<string, unknown>) => sync(options);
  await expect(wrong({ jobs: 0 })).rejects.toMatchObject({ code: "usage", exitCode: 2, message: expect.stringContaining("jobs") });
  await expect(wrong({ jbos: 1 })).rejects.toMatchObject({ code: "usage", hint: expect.stringContaining("jobs") });
  await expect(wrong({ source: 5 })).rejects.toMatchObject({ code: "usage" });
});

test("a program that syncs, plans and looks ends by itself, at once", async () => {
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
  await using target = reservedDatabase("target");
  const program = `import { sync, plan, doctor } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
    const options = { source: ${JSON.stringify(source.url)}, target: ${JSON.stringify(target.url)} };
    await plan(options); await doctor(options); await sync(options); await sync({ ...options, target: "postgresql://127.0.0.1:1/x" }).catch(() => {});
    console.log(process.getActiveResourcesInfo().filter((name) => !/TTY|Pipe|Write|FSReq|Immediate/.test(name)).join());`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  let last = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    last = Date.now();
  });
  await once(child, "close");
  expect({ code: child.exitCode, text }).toEqual({ code: 0, text: "\n" });
  expect(Date.now() - last).toBeLessThan(1000);
  expect(await until(async () => (await backendsOf(child.pid ?? 0)).length === 0)).toBe(true);
});

test("plan and doctor give plain data and leave no sessions", async () => {
  await using source = await freshShop("source");
  const made = await plan({ source: source.url, target: source.url.replace(/[^/]+$/, "nowhere_yet") });
  expect(made.tables.length).toBeGreaterThan(50);
  expect(made.replaces).toBe("nothing");
  const found = await doctor({ source: source.url, target: source.url.replace(/[^/]+$/, "nowhere_yet") });
  expect(found.obstacles).toEqual([]);
  await expectNoBackends(process.pid);
});
