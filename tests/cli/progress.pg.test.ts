import { describe, expect, test } from "vitest";
import { sync, type SyncEvent } from "../../src/index.ts";
import { between, jsonLines, runBetween, SLOW, until } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { runCli } from "../support/run-cli.ts";
import { openSession } from "../support/sql.ts";
import { noTerminal, runInTerminal, type TerminalRun } from "../support/terminal.ts";

/** Some 13 MB, so that `--rate-limit 1500kB` makes it last seconds. */
const BIG = (name: string, rows = 100_000): string =>
  `CREATE TABLE ${name} AS SELECT n AS id, repeat('x', 90) AS t FROM generate_series(1, ${rows}) n; ANALYZE ${name};`;
/** An index that takes some seconds to build, in the staging database. */
const SLOW_INDEX = `${SLOW} CREATE TABLE slowly AS SELECT n AS i FROM generate_series(1, 400) n; CREATE INDEX slow_index ON slowly (slow(i, 0.01));`;
const BROKEN_INDEX = `CREATE FUNCTION boom(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    $$BEGIN IF current_database() ~ '__pgditto_' THEN PERFORM pg_sleep(2); RAISE 'boom'; END IF; RETURN $1; END$$;
  CREATE TABLE t AS SELECT 1 AS i; CREATE INDEX broken ON t (boom(i));`;
/** Of the lines under the log, none of which may stay. */
const UNDER_THE_LOG = /all tables|all tasks|… and \d+ more|\[[=-]*[= -]+\] +\d+ %/;

/** The log's lines without what differs from run to run, in no order, for tasks are done in any. */
function logOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => /^\[\d\d:\d\d:\d\d\]/.test(line) && !/ \| +(?:snapshot|\S+__pgditto)|\[NOTE|\[SERVER|\[PLAN|\[CLEAN/.test(line))
    .map((line) =>
      line
        .slice(10)
        .replaceAll(/\S+__pgditto_\w+/g, "staging")
        .replaceAll(/t_\d+_[0-9a-f]{8}/g, "name")
        .replace(/Time: .*/, "")
        .trimEnd(),
    )
    .sort();
}

async function expectCleanEnd(terminal: TerminalRun): Promise<string> {
  expect(await terminal.modes()).toEqual({ cursor: true, wrap: true });
  const screen = await terminal.screen();
  expect(screen).not.toMatch(UNDER_THE_LOG);
  return screen;
}

describe.skipIf(noTerminal !== undefined)(`at a terminal${noTerminal === undefined ? "" : ` (skipped: ${noTerminal})`}`, () => {
  test("bars under the log while it runs; at the end the log is there as without them, each line once", async () => {
    await using source = await freshDatabase("source", { sql: [BIG('"訂單 🚚"'), SLOW_INDEX] });
    await using target = reservedDatabase("target");
    const flags = ["--rate-limit", "1500kB", "--jobs", "2"];
    await using terminal = await runInTerminal(flags, between(source, target));
    await terminal.waitFor(/^COPY +"訂單 🚚" +\[=+ *\] +\d+ % +[\d,]+ of ~100,000 rows, [\d.]+M +\d/m);
    await terminal.waitFor(/^INDEX +slow_index .* scanning table/m);
    await terminal.waitFor(/^COPY +all tables +\[=+ *\] +\d+ % +[\d.]+M of [\d.]+M, [\d.]+M\/s, ETA \d/m);
    await terminal.waitFor(/^ALL +all tasks +\[=* *\] +\d+ % +\d+ of \d+ tasks/m);
    // a process that is killed now leaves nothing to put right
    await until(async () => (await terminal.modes()).cursor && (await terminal.modes()).wrap);
    expect(await terminal.exitCode()).toBe(0);
    const screen = await expectCleanEnd(terminal);
    const piped = await runBetween(source, target, flags.slice(2));
    expect(piped.stdout).not.toMatch(UNDER_THE_LOG);
    expect(logOf(screen).length).toBeGreaterThan(8);
    expect(logOf(screen)).toEqual(logOf(piped.stdout));
    expect(screen.match(/SYNC COMPLETED SUCCESSFULLY/g)).toHaveLength(1);
  });

  test("more tasks than lines, wide names, and a window that changes its size: the log is whole", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `"訂單_注文_주문_${i}"`);
    await using source = await freshDatabase("source", { sql: names.map((name) => BIG(name, 10_000)) });
    await using target = reservedDatabase("target");
    const flags = ["--rate-limit", "3MB", "--jobs", "12"];
    await using terminal = await runInTerminal(flags, between(source, target), { columns: 60, rows: 10 });
    await terminal.waitFor(/^… and \d+ more\b/m);
    for (const [columns, rows] of [
      [25, 10],
      [120, 30],
      [40, 8],
      [200, 12],
    ] as const) {
      await terminal.resize(columns, rows);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await terminal.resize(200, 50);
    expect(await terminal.exitCode()).toBe(0);
    expect(await terminal.modes()).toEqual({ cursor: true, wrap: true });
    const piped = await runBetween(source, target, flags);
    expect(logOf(await terminal.screen())).toEqual(logOf(piped.stdout));
  });

  test.each([
    [["C-c"], /Message +: The run was cancelled by SIGINT/],
    [["C-c", "C-c"], /SIGINT: stopping cleanly/],
  ])("%j: the cursor is back, and nothing stands under what is said", async (keys, said) => {
    await using source = await freshDatabase("source", { sql: BIG("big") });
    await using target = reservedDatabase("target");
    await using terminal = await runInTerminal(["--rate-limit", "1MB"], between(source, target));
    await terminal.waitFor(/^COPY +all tables /m);
    await terminal.type(...keys);
    expect(await terminal.exitCode()).toBe(130);
    expect(await expectCleanEnd(terminal)).toMatch(said);
  });

  test("an error: all of it is there, once, and nothing else", async () => {
    await using source = await freshDatabase("source", { sql: BROKEN_INDEX });
    await using target = reservedDatabase("target");
    await using terminal = await runInTerminal([], between(source, target));
    await terminal.waitFor(/^INDEX +broken .*\ds$/m);
    expect(await terminal.exitCode()).toBe(1);
    const screen = await expectCleanEnd(terminal);
    for (const once of [/^ERROR DETAILS$/gm, /^ +Exit code : 1$/gm, /\[FAILED +\] broken/g]) expect(screen.match(once)).toHaveLength(1);
  });

  test("verify tells what it waits for", async () => {
    // on one server: the schema public is not the same before PostgreSQL 15 and after
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
    await using target = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
    await using somebody = await openSession(target.url);
    await somebody.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    await using terminal = await runInTerminal(["verify"], between(source, target));
    await terminal.waitFor(/^RUN +locking tables for the snapshot .* \d/m);
    await somebody.query("ROLLBACK");
    expect(await terminal.exitCode()).toBe(0);
    const screen = await expectCleanEnd(terminal);
    expect(screen).not.toContain("locking tables");
    expect(screen).toContain("The databases are the same.");
  });

  test("none shows nothing", async () => {
    await using source = await freshDatabase("source", {
      sql: `${SLOW} CREATE TABLE t AS SELECT 1 AS i; CREATE INDEX ON t (slow(i, 1.5));`,
    });
    await using target = reservedDatabase("target");
    await using quiet = await runInTerminal(["--progress", "none"], between(source, target));
    await quiet.waitFor(/PHASE 3/);
    for (const end = Date.now() + 1000; Date.now() < end;) expect(await quiet.screen()).not.toMatch(UNDER_THE_LOG);
    expect(await quiet.exitCode()).toBe(0);
  });
});

describe("without a terminal", () => {
  test("plain: a line every ten seconds, among the others", async () => {
    await using source = await freshDatabase("source", { sql: BIG("big") });
    await using target = reservedDatabase("target");
    const { code, stdout } = await runBetween(source, target, ["--progress", "plain", "--rate-limit", "800kB"]);
    expect(code).toBe(0);
    const lines = stdout.split("\n").filter((line) => line.includes("PROGRESS"));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines[0]).toMatch(
      /^\[\d\d:\d\d:\d\d\] \[COPY {2}\] \[PROGRESS \] \d+ % of all tables +\| [\d.]+M of [\d.]+M, [\d.]+[KM]\/s, ETA [\dms .]+; \d+ of \d+ tasks; COPY big \d+ %$/,
    );
    expect(stdout).not.toContain("\u001B");
  });

  test.each([
    [["--progress", "tty"], /standard output is none/],
    [["--progress", "plain", "--json"], /--json contradict/],
    [["--progress", "often"], /auto, tty, plain/],
    [["--progress"], /value is missing/],
    [["cleanup", "--progress", "plain"], /not a flag of pgditto cleanup/],
  ])("%j: refused before anything is done", async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(message);
  });
});

describe("events", () => {
  test("tell of rows, expected and moved, of all tasks, and of the phases of an index", async () => {
    await using source = await freshDatabase("source", { sql: [BIG("big"), SLOW_INDEX, "CREATE TABLE unknown AS SELECT 1 AS i"] });
    await using target = reservedDatabase("target");
    const { code, stdout } = await runBetween(source, target, ["--json", "--rate-limit", "10MB"]);
    expect(code).toBe(0);
    const lines = jsonLines(stdout);
    const of = (type: string) => lines.filter((line) => line.type === type);
    const big = of("task:started").find((line) => line["object"] === "public.big" && line["kind"] === "copy");
    const [estimate] = await source.sql("SELECT reltuples::int AS rows FROM pg_class WHERE relname = 'big'");
    expect(big?.["expectedRows"]).toBe(estimate?.["rows"]);
    expect(of("task:started").find((line) => line["object"] === "public.unknown")).not.toHaveProperty("expectedRows");
    const rows = of("task:progress")
      .filter((line) => line["id"] === big?.["id"])
      .reduce((sum, line) => sum + Number(line["rows"]), 0);
    expect(rows).toBeGreaterThan(10_000);
    // a binary COPY has one frame more than rows
    expect(rows).toBeLessThanOrEqual(100_001);
    const ids = new Set(of("task:started").map((line) => line["batch"] ?? line["id"]));
    expect(of("stage:started").find((line) => line["stage"] === "tasks")?.["tasks"]).toBe(ids.size);
    const index = of("task:started").find((line) => String(line["object"]).includes("slow_index"));
    const phases = of("build:progress").filter((line) => line["id"] === index?.["id"]);
    expect(phases).toContainEqual(expect.objectContaining({ phase: "building index: scanning table", unit: "blocks", total: 2 }));
  });

  test("nobody asks how far an index is where nobody listens", async () => {
    await using source = await freshDatabase("source", { sql: SLOW_INDEX });
    await using target = reservedDatabase("target");
    const types = new Set<SyncEvent["type"]>();
    await sync({ source: source.url, target: target.url, watchBuilds: false, onEvent: ({ type }) => types.add(type) });
    expect(types).toContain("task:done");
    expect(types).not.toContain("build:progress");
  });
});
