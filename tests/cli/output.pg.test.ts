import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { VERSION } from "../../src/index.ts";
import { databasesOf, jsonLines, runBetween } from "../support/cli-run.ts";
import { freshDatabase, freshShop, reservedDatabase } from "../support/databases.ts";
import { contents, tableChecksums } from "../support/oracle.ts";
import { type CliResult, runCli } from "../support/run-cli.ts";
import { ownCluster } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const TIME = String.raw`\[\d\d:\d\d:\d\d\]`;

describe("a run as people see it", () => {
  let result: CliResult;
  let rows = 0;
  let tables: Record<string, { rows: number }> = {};
  beforeAll(async () => {
    await using source = await freshShop("source");
    await using target = reservedDatabase("target");
    tables = Object.fromEntries(Object.entries(await tableChecksums(source.url)).filter(([, table]) => table.hash !== "unpopulated"));
    result = await runBetween(source, target, [], { env: { PG_JOBS: "3", BATCH_SIZE: "2" } });
    rows = (await tableCounts(target.url)).reduce((sum, n) => sum + n, 0);
  });

  async function tableCounts(url: string): Promise<number[]> {
    const names = await sql(
      url,
      "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname !~ '^pg_|information'",
    );
    return await Promise.all(
      names.map(async ({ name }) => Number((await sql(url, `SELECT count(*)::int AS n FROM ONLY ${String(name)}`))[0]?.["n"])),
    );
  }

  test("looks like the original's: banner, phases, a line for start and end, cleanup, summary", () => {
    const { code, stdout, stderr } = result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const order = [
      /^={80}\nSYNC CONFIGURATION\n={80}\n {2}Source \(MAIN\) {4}: postgres@127\.0\.0\.1:\d+\/\S+\n {2}Target \(ARCHIVE\) : postgres@/m,
      /^ {2}Started {10}: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n {2}Jobs {13}: 3 [^\n]*\n {2}Tables at once {3}: 2 \(6 connections/m,
      /^PHASE 1\/4: Schema Synchronization\n-{80}$/m,
      /^PHASE 2\/4: Data Copy$/m,
      /^PHASE 3\/4: /m,
      /^PHASE 4\/4: Validation$/m,
      /^FINAL CLEANUP\n-{80}$/m,
      /^SYNC COMPLETED SUCCESSFULLY\n={80}$/m,
    ];
    const places = order.map((pattern) => stdout.search(pattern));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(stdout).toMatch(new RegExp(`^${TIME} \\[COPY  \\] \\[STARTED  \\] orders {30}\\| Standard Table$`, "m"));
    expect(stdout).toMatch(new RegExp(`^${TIME} \\[COPY  \\] \\[STARTED  \\] transactions {24}\\| Partitioned \\(25 parts\\)$`, "m"));
    expect(stdout).toMatch(
      new RegExp(`^${TIME} \\[COPY  \\] \\[DONE     \\] orders {30}\\| Rows: \\d+, Size: [\\d.]+[BKMG], Time: [\\d.]+s$`, "m"),
    );
    // the same name in two schemas
    expect(stdout).toMatch(/\[DONE {5}\] archive\.orders +\| Rows: /);
    // partitions are told of under their table, each table once
    expect(stdout.match(/\[DONE {5}\] transactions +\|/g)).toHaveLength(1);
    expect(stdout).not.toMatch(/\[COPY {2}\].*transactions_2024/);
    // every line of the table has its bar in one place, unless the name is too long
    const bars = stdout.match(new RegExp(`^${TIME} \\[.*?\\] \\[.*?\\] .{35} \\|`, "gm"));
    expect(bars?.length).toBeGreaterThan(50);
  });

  test("counts what is there", () => {
    const { stdout } = result;
    expect(stdout).toContain(`  Rows     : ${rows.toLocaleString("en-US")}, counted on both sides`);
    const orders = tables["public.orders"]?.rows ?? -1;
    expect(stdout).toMatch(new RegExp(`\\[DONE {5}\\] orders +\\| Rows: ${orders.toLocaleString("en-US")},`));
  });

  test("has no colours off a terminal, and no control characters whatever names hold", () => {
    const codes = Array.from(result.stdout, (character) => character.codePointAt(0) ?? 0);
    expect(codes.filter((code) => code !== 10 && (code < 32 || (code >= 127 && code < 160)))).toEqual([]);
    for (const line of result.stdout.split("\n")) expect(line).toMatch(/^(?:\[\d\d:|=+$|-+$| {2}\S|PHASE |FINAL |SYNC |nothing|$)/);
  });

  test("FORCE_COLOR colours it all the same", async () => {
    const { stderr } = await runCli(["--jobs=x"], { env: { FORCE_COLOR: "1" } });
    expect(stderr).toContain("\u001B[31mERROR DETAILS");
  });
});

describe("--json", () => {
  test("a run: every line is an event, the first says the format, the last the result; nothing else is on stdout", async () => {
    await using source = await freshShop("source");
    await using target = reservedDatabase("target");
    const { code, stdout, stderr } = await runBetween(source, target, ["--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = jsonLines(stdout);
    expect(lines[0]).toMatchObject({
      type: "run:started",
      format: 1,
      version: VERSION,
      source: { database: source.name },
      target: { database: target.name },
    });
    expect(lines.at(-1)).toMatchObject({ type: "run:done", database: target.name });
    const run = lines[0]?.["run"];
    for (const line of lines) {
      expect(line["run"]).toBe(run);
      expect(String(line["time"])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    expect(lines.map((line) => String(line["time"]))).toEqual(lines.map((line) => String(line["time"])).sort());
    // every table that was started is done
    const ids = (type: string) =>
      lines
        .filter((line) => line.type === type)
        .map((line) => String(line["id"]))
        .sort();
    expect(ids("task:done")).toEqual(ids("task:started"));
  });

  test("a failure: the last line has the exit code, the reason and the hint", async () => {
    const { code, stdout, stderr } = await runCli(["--json"], {
      env: { MAIN_DB_URL: "postgresql://127.0.0.1:1/x", ARCHIVE_DB_URL: "postgresql://127.0.0.1:1/y" },
    });
    expect({ code, stderr }).toEqual({ code: 4, stderr: "" });
    const lines = jsonLines(stdout);
    expect(lines[0]).toMatchObject({ type: "run:started", format: 1 });
    expect(lines.at(-1)).toMatchObject({
      type: "run:failed",
      exitCode: 4,
      error: { code: "source-connect", side: "source", sqlstate: "ECONNREFUSED", hint: expect.any(String) },
    });
  });

  test.each(["plan", "doctor", "cleanup"])("%s: one object", async (command) => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t (i int)" });
    await using target = reservedDatabase("target");
    const { code, stdout, stderr } = await runBetween(source, target, [command, "--json"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^(?:(?:Note|Warning): .*\n)*$/);
    expect(jsonLines(stdout)).toEqual([expect.objectContaining({ type: command, format: 1 })]);
    const failed = await runBetween({ url: "postgresql://127.0.0.1:1/x" }, { url: "postgresql://127.0.0.1:1/x" }, [command, "--json"]);
    expect([4, 5]).toContain(failed.code);
    expect(jsonLines(failed.stdout)).toEqual([
      expect.objectContaining({ type: "run:failed", format: 1, version: VERSION, exitCode: failed.code }),
    ]);
  });
});

describe("plan and doctor", () => {
  let own: Cluster;
  beforeAll(async () => {
    own = await ownCluster("target", { settings: { log_statement: "all", autovacuum: "off" } });
    for (const name of ["main", "archive"]) await sql(own.url("postgres"), `CREATE DATABASE ${name}`);
    await sql(
      own.url("main"),
      `CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers SELECT generate_series(1, 500);
       CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers) ; INSERT INTO orders SELECT n, n FROM generate_series(1, 500) n;
       CREATE TABLE parts (n int) PARTITION BY LIST (n); CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1); CREATE SEQUENCE s; ANALYZE;`,
    );
    await sql(own.url("archive"), "CREATE TABLE precious AS SELECT 42 AS i");
  });
  afterAll(async () => await own?.[Symbol.asyncDispose]());

  test("write nothing: no statement that changes anything is sent, nothing differs", async () => {
    const state = async () => ({
      databases: await sql(
        own.url("postgres"),
        "SELECT oid, datname, datdba, datacl::text, shobj_description(oid, 'pg_database') AS note FROM pg_database ORDER BY 1",
      ),
      main: await contents(own.url("main")),
      archive: await contents(own.url("archive")),
      classes: await sql(own.url("main"), "SELECT count(*)::int AS n FROM pg_class"),
    });
    const before = await state();
    const log = (await readFile(own.logFile, "utf8")).length;
    const run = (args: string[]) => runBetween({ url: own.url("main") }, { url: own.url("archive") }, args);
    for (const args of [
      ["plan"],
      ["plan", "--json"],
      ["plan", "--yes", "-t", "orders"],
      ["doctor"],
      ["doctor", "--json"],
      ["cleanup", "--json"],
    ])
      expect((await run(args)).code).toBe(0);
    expect(await state()).toEqual(before);
    // whether the target knows the source's locale is found out by trying, in a transaction that is rolled back
    const statements = (await readFile(own.logFile, "utf8"))
      .slice(log)
      .replaceAll(/BEGIN; CREATE COLLATION pg_temp\.[^]*?statement: ROLLBACK/g, "");
    expect(statements).toMatch(/pg_export_snapshot/);
    expect(statements).not.toMatch(
      /(?:statement|execute [^:]*): *(?:CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|TRUNCATE|GRANT|COMMENT|COPY|REINDEX|VACUUM|ANALYZE|REFRESH)/i,
    );
  });

  test("name what a sync would do: tables with sizes and format, what is left out and why, what is replaced", async () => {
    const run = (args: string[]) => runBetween({ url: own.url("main") }, { url: own.url("archive") }, args);
    const { stdout } = await run(["plan"]);
    expect(stdout).toMatch(/^3 tables, \S+ of rows, in this order:$/m);
    for (const name of ["customers", "orders"])
      expect(stdout).toMatch(new RegExp(`^ +\\d+\\. public\\.${name} +[\\d.]+K +~500 rows +binary$`, "m"));
    expect(stdout).toMatch(/public\.part_1 .*partition of public\.parts$/m);
    expect(stdout).toMatch(/^Left out: nothing$/m);
    expect(stdout).toMatch(/^Schema: read with .*pg_dump/m);
    expect(stdout).toMatch(/^Replaces: a database that pgditto did not make$/m);
    const part = await run(["plan", "-t", "orders"]);
    expect(part.stdout).toMatch(
      /Left out:\n[^]*public\.customers: rows not selected[^]*orders_customer_fkey: foreign key into rows that are not selected/,
    );
    const json = jsonLines((await run(["plan", "--json", "-t", "orders"])).stdout)[0];
    expect(json).toMatchObject({
      tables: [{ table: "public.orders", format: "binary", rowEstimate: 500 }],
      replaces: "a database that pgditto did not make",
    });
    expect((await run(["doctor"])).stdout).toMatch(
      /^Source: PostgreSQL \d+[^]*^Target: PostgreSQL \d+[^]*^Replaces: a database that pgditto did not make\nNo obstacles: sync can run\.$/m,
    );
  });
});

test("a banner is shown before anything is waited for, and nothing of a target that was never reached", async () => {
  await using target = reservedDatabase("target");
  const { stdout } = await runBetween({ url: "postgresql://127.0.0.1:1/x" }, target);
  expect(stdout.startsWith("=")).toBe(true);
  expect(await databasesOf(target.name)).toEqual([]);
});
