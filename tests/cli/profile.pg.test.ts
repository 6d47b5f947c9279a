import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChromeTrace, SyncEvent, TraceEvent } from "../../src/index.ts";
import { jsonLines, runBetween, SLOW, startBetween } from "../support/cli-run.ts";
import { freshDatabase, freshShop, reservedDatabase } from "../support/databases.ts";
import { runCli } from "../support/run-cli.ts";
import { server } from "../support/servers.ts";

// what is published, not the sources
const { sync, chromeTrace } = (await import(new URL("../../dist/index.js", import.meta.url).href)) as typeof import("../../src/index.ts");

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "test-profile-"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

type Span = TraceEvent & { ts: number; dur: number };

async function readTrace(file: string): Promise<ChromeTrace> {
  return JSON.parse(await readFile(file, "utf8")) as ChromeTrace;
}

function spansOf(trace: ChromeTrace): Span[] {
  return trace.traceEvents.filter((event): event is Span => event.ph === "X");
}

/** Viewers drop what overlaps on a row without lying inside; here nothing lies inside either. */
function expectRowsInOrder(trace: ChromeTrace): void {
  const ends = new Map<number, number>();
  for (const { tid, ts, dur, name } of spansOf(trace)) {
    expect(dur, name).toBeGreaterThanOrEqual(0);
    expect(ts, name).toBeGreaterThanOrEqual(ends.get(tid) ?? 0);
    ends.set(tid, ts + dur);
  }
}

const stages = (trace: ChromeTrace): string[] =>
  spansOf(trace)
    .filter(({ cat }) => cat === "stage")
    .map(({ name }) => name);

describe("--profile", () => {
  test("every task on its worker's row, the run's own stages beside them; the file is the owner's, and replaces an older one", async () => {
    await using source = await freshShop("source");
    await source.sql("CREATE TABLE large AS SELECT n, md5(n::text) AS h FROM generate_series(1, 20000) n");
    await using target = await freshDatabase("target", { sql: "CREATE TABLE old AS SELECT 1" });
    const file = join(folder, "run.json");
    await writeFile(file, "old", { mode: 0o644 });
    const { code, stdout, stderr } = await runBetween(source, target, ["--yes", "--json", "--profile", file], { env: { PG_JOBS: "3" } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await readdir(folder)).toEqual(["run.json"]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const trace = await readTrace(file);
    expectRowsInOrder(trace);
    const lines = jsonLines(stdout);
    const batched = new Set(lines.filter((line) => line.type === "task:started" && "batch" in line).map((line) => line["id"]));
    const done = lines.filter((line) => line.type === "task:done");
    const drawn = spansOf(trace).filter(({ cat }) => cat !== "stage");
    const alone = drawn.filter(({ args }) => !("tables" in (args ?? {})));
    expect(alone.map(({ name, tid }) => `${name} ${tid}`).sort()).toEqual(
      done
        .filter((line) => !batched.has(line["id"]))
        .map((line) => `${String(line["kind"])} ${String(line["object"])} ${String(line["worker"])}`)
        .sort(),
    );
    // small tables that were committed together are one bar
    expect(batched.size).toBeGreaterThan(10);
    const bars = drawn.filter((span) => !alone.includes(span)).map(({ name }) => Number(/^copy (\d+) small tables$/.exec(name)?.[1]));
    expect(bars.reduce((sum, n) => sum + n, 0)).toBe(batched.size);
    expect(new Set(drawn.map(({ tid }) => tid))).toEqual(new Set([1, 2, 3]));
    expect(drawn.find(({ name }) => name === "copy public.large")?.args).toMatchObject({
      rows: expect.any(Number),
      format: expect.stringMatching(/^(?:binary|text)$/),
      attempts: 1,
      sourceBackend: expect.any(Number),
      targetBackend: expect.any(Number),
      waitedMs: expect.any(Number),
    });
    expect(stages(trace)).toEqual([
      "connect",
      "preflight",
      "look at the target, ask",
      "drop what dead runs left",
      "lock tables, take the snapshot",
      "find pg_dump",
      "pg_dump reads the schema",
      "catalog queries",
      "plan",
      "open the workers' connections",
      "create the staging database",
      "run the tasks",
      "compare inventories and counts",
      "swap",
      "drop the old database",
    ]);
    // the rows of stages leave little of the run unexplained
    const run = spansOf(trace).filter(({ tid, cat }) => cat === "stage" && tid === trace.traceEvents[0]?.tid);
    const last = run.at(-1);
    const explained = run.reduce((sum, { dur }) => sum + dur, 0);
    expect(explained / ((last?.ts ?? 0) + (last?.dur ?? 0))).toBeGreaterThan(0.7);
    expect(trace.traceEvents.filter(({ ph }) => ph === "C").length).toBeGreaterThan(1);

    const text = JSON.stringify(trace);
    for (const secret of [server("source").password, server("target").password, encodeURIComponent(server("source").password), "127.0.0.1"])
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
  });

  test("a run that fails leaves what was seen: the task that failed, those that were cancelled, the clean-up", async () => {
    await using source = await freshDatabase("source", {
      sql: `${SLOW} CREATE FUNCTION bad(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN current_database() !~ '__pgditto_' OR NOT public.slow(1, 0.5); END$$;
        CREATE TABLE broken (i int CHECK (bad(i))); INSERT INTO broken VALUES (1);
        CREATE TABLE slow_one (i int CHECK (slow(i, 0.1))); INSERT INTO slow_one SELECT generate_series(1, 200)`,
    });
    await using target = reservedDatabase("target");
    const file = join(folder, "failed.json");
    const { code } = await runBetween(source, target, ["--profile", file]);
    expect(code).toBe(1);
    const trace = await readTrace(file);
    expectRowsInOrder(trace);
    expect(trace.otherData["end"]).toBe("copy");
    expect(spansOf(trace).find(({ name }) => name === "copy public.broken")?.args).toMatchObject({ failed: "copy", sqlstate: "23514" });
    expect(spansOf(trace).find(({ name }) => name === "copy public.slow_one")?.args).toMatchObject({ cancelled: true });
    expect(spansOf(trace).find(({ name }) => name === "run the tasks")?.args).toEqual({ failed: true });
    expect(stages(trace).at(-1)).toBe("drop the staging database");
  });

  test("so does one that is cancelled, and one that reaches no server", async () => {
    await using source = await freshDatabase("source", {
      sql: `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 0.1))); INSERT INTO t SELECT generate_series(1, 500)`,
    });
    await using target = reservedDatabase("target");
    const file = join(folder, "cancelled.json");
    await using cli = await startBetween(source, target, ["--profile", file]);
    await cli.waitFor(/\[COPY {2}\] \[STARTED/);
    cli.kill("SIGINT");
    expect((await cli.result).code).toBe(130);
    const trace = await readTrace(file);
    expect(spansOf(trace).find(({ name }) => name === "copy public.t")?.args).toMatchObject({ cancelled: true });
    expect(trace.otherData["end"]).toBe("cancelled");

    const nowhere = { url: "postgresql://127.0.0.1:1/x" };
    expect((await runBetween(nowhere, nowhere, ["--profile", file])).code).toBe(4);
    expect(stages(await readTrace(file))).toEqual(["connect"]);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("plan and doctor take it and write nothing", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t (i int)" });
    await using target = reservedDatabase("target");
    for (const command of ["plan", "doctor"])
      expect((await runBetween(source, target, [command, "--profile", join(folder, "none.json")])).code).toBe(0);
    expect(await readdir(folder)).not.toContain("none.json");
  });
});

describe("a path that cannot be written is refused before anything is connected", () => {
  const NOWHERE = { MAIN_DB_URL: "postgresql://127.0.0.1:1/a", ARCHIVE_DB_URL: "postgresql://127.0.0.1:1/b" };
  const refused = async (path: string, reason: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await runCli(["--profile", path], { env: NOWHERE });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`--profile: ${path} `);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/Hint +: \S/);
  };

  test("no such folder, a folder, a file where a folder should be, a device", async () => {
    await refused(join(folder, "missing", "run.json"), /its folder does not exist/);
    await refused(folder, /is a folder/);
    await writeFile(join(folder, "plain"), "");
    await refused(join(folder, "plain", "run.json"), /ENOTDIR/);
    await refused("/dev/null", /is not a plain file/);
  });

  test.skipIf(process.getuid?.() === 0)("a folder that may not be written to", async () => {
    const closed = join(folder, "closed");
    await mkdir(closed);
    await chmod(closed, 0o500);
    await refused(join(closed, "run.json"), /EACCES/);
  });
});

test("the library's events make the same timeline", async () => {
  await using source = await freshShop("source");
  await using target = reservedDatabase("target");
  const events: SyncEvent[] = [];
  const result = await sync({ source: source.url, target: target.url, onEvent: (event) => events.push(event) });
  const trace = chromeTrace(events);
  expectRowsInOrder(trace);
  expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
  const copies = spansOf(trace).filter(({ cat }) => cat === "copy");
  expect(copies.reduce((sum, { args }) => sum + Number(args?.["rows"]), 0)).toBe(result.rows);
  expect(result.advice).toEqual([]);
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted((a, b) => a - b));
});
