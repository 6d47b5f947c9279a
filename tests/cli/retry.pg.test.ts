import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { databasesOf, expectNoBackends, jsonLines, runBetween, SLOW, stagingOf, startBetween, until } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import type { RunningCli } from "../support/run-cli.ts";
import { ownCluster, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** Some seconds of copying, in rows that cannot all be on their way at once. */
const BIG = {
  sql: `${SLOW} CREATE TABLE big (i int CHECK (i % 100 <> 0 OR slow(i, 0.02)), filler text);
    INSERT INTO big SELECT n, repeat(md5(n::text), 100) FROM generate_series(1, 6000) n;
    CREATE INDEX ON big (i); CREATE TABLE small AS SELECT n FROM generate_series(1, 10) n;`,
};

const admin = (side: "source" | "target") => urlOf(server(side), "postgres");

/** Ends a backend of the run while it copies, as an administrator or a failover would; false when none does. */
async function endBackend(cli: RunningCli, side: "source" | "target", purpose = "worker"): Promise<void> {
  await until(async () => {
    const rows = await sql(
      admin(side),
      `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity
       WHERE application_name ~ $1 AND ($2 <> 'worker' OR query ~ 'COPY "public"."big"' AND state = 'active')`,
      [`^pgditto \\w+ ${purpose}.* ${cli.pid}@`, purpose],
    );
    return rows.some((row) => row["done"] === true);
  });
}

describe("a connection that is lost in the middle of a copy", () => {
  test.each(["source", "target"] as const)("the worker's on the %s: tried again, told, and every row is there once", async (side) => {
    await using source = await freshDatabase("source", BIG);
    await using target = reservedDatabase("target");
    await using cli = await startBetween(source, target);
    await endBackend(cli, side);
    // the snapshot is the first attempt's: what comes later is not in the copy
    const before = await contents(source.url);
    await source.sql("INSERT INTO big SELECT -n, '' FROM generate_series(1, 50) n; DELETE FROM small");
    const { code, stdout, stderr } = await cli.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/\[COPY {2}\] \[RETRY {4}\] big +\| attempt 1 of 3 failed, next in 2\.0s: \S/);
    expect(stdout.match(/\[DONE {5}\] big /g)).toHaveLength(1);
    expect(await contents(target.url)).toEqual(before);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("RETRY_COUNT=1: fails with 7, names table, side, SQLSTATE and the next command; the target is as it was", async () => {
    await using source = await freshDatabase("source", BIG);
    await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    await using cli = await startBetween(source, target, ["--yes"], { env: { RETRY_COUNT: "1" } });
    await endBackend(cli, "target");
    const { code, stdout, stderr } = await cli.result;
    expect(code).toBe(7);
    expect(stdout).not.toContain("RETRY");
    expect(stdout).toMatch(/\[COPY {2}\] \[FAILED {3}\] big /);
    expect(stderr).toMatch(
      /What +: copy: public\.big\n +Side +: target \(ARCHIVE\)\n +SQLSTATE +: (?:57P01|E\w+)\n +Message +: \S[^]*Hint +: \S.*RETRY_COUNT.*`pgditto sync --resume`/,
    );
    await expectNoBackends(cli.pid);
    expect(await databasesOf(target.name)).toEqual([target.name, expect.stringContaining("__pgditto_")]);
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
  });

  test.each([
    ["the snapshot", "source", "source"],
    ["the run's lock", "target", "control"],
  ] as const)("the session that holds %s: the run goes on, with what the snapshot showed", async (_, side, purpose) => {
    await using source = await freshDatabase("source", BIG);
    await using target = reservedDatabase("target");
    await using cli = await startBetween(source, target);
    await until(() => /STARTED.*big/.test(cli.stdout));
    const before = await contents(source.url);
    await endBackend(cli, side, purpose);
    await source.sql("DELETE FROM small");
    expect(await cli.result).toMatchObject({ code: 0, stderr: "" });
    expect(await contents(target.url)).toEqual(before);
    await expectNoBackends(cli.pid);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("the worker's on the target while it builds an index: what the worker has on the source stays, and that could not be had again", async () => {
    await using source = await freshDatabase("source", {
      sql: `${SLOW} CREATE TABLE large (i int, filler text); ALTER TABLE large ALTER filler SET STORAGE EXTERNAL;
        INSERT INTO large SELECT n, repeat(md5(n::text), 3000) FROM generate_series(1, 500) n;
        CREATE INDEX slowly ON large (slow(i, 0.003)); CREATE TABLE later AS SELECT n FROM generate_series(1, 10) n;`,
    });
    await using target = reservedDatabase("target");
    await using cli = await startBetween(source, target, ["--jobs", "1"], { env: { BATCH_SIZE: "1" } });
    const building = async (what: string): Promise<boolean> => {
      const asked = `SELECT ${what} FROM pg_stat_activity WHERE query ~ 'INDEX "?slowly' AND state = 'active' AND application_name ~ $1`;
      return (await sql(admin("target"), asked, [`^pgditto \\w+ worker.* ${cli.pid}@`])).length > 0;
    };
    await until(() => building("pid"));
    expect(cli.stdout).not.toMatch(/later/);
    await endBackend(cli, "source", "source"); // who has not joined the snapshot by now never can
    expect(await building("pg_terminate_backend(pid)")).toBe(true);
    expect(await cli.result).toMatchObject({ code: 0, stderr: "" });
    expect(cli.stdout).toMatch(/RETRY.*slowly/);
    expect(cli.stdout).not.toContain("new snapshot");
    expect(await contents(target.url)).toEqual(await contents(source.url));
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("the session that holds the run's lock, and another run takes the target: this one gives way", async () => {
    await using source = await freshDatabase("source", BIG);
    await using quick = await freshDatabase("source", { sql: "CREATE TABLE quick AS SELECT 1 AS i" });
    await using target = reservedDatabase("target");
    await using cli = await startBetween(source, target);
    await until(() => /STARTED.*big/.test(cli.stdout));
    await endBackend(cli, "target", "control");
    // it takes what is there for the copy of a dead run
    expect((await runBetween(quick, target)).code).toBe(0);
    const { code, stderr } = await cli.result;
    // 9 when it wants the lock back while the other run has it
    expect([1, 5, 9]).toContain(code);
    expect(stderr).toMatch(/Side +: target \(ARCHIVE\)/);
    expect(await contents(target.url)).toEqual(await contents(quick.url));
    await expectNoBackends(cli.pid);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });
});

describe("what would fail the same way again is not tried again", () => {
  const failing = [
    [
      "a CHECK that refuses a row",
      "23514",
      "CREATE TABLE t (i int CHECK (current_database() !~ '__pgditto_'))",
      "INSERT INTO t VALUES (1)",
    ],
    [
      "a function that raises an error in a row's CHECK",
      "22012",
      "CREATE FUNCTION f() RETURNS bool LANGUAGE plpgsql AS $$BEGIN IF current_database() ~ '__pgditto_' THEN RAISE division_by_zero; END IF; RETURN true; END$$; CREATE TABLE t (i int CHECK (f()))",
      "INSERT INTO t VALUES (1)",
    ],
    [
      "a privilege that is missing",
      "42501",
      "CREATE FUNCTION f() RETURNS bool LANGUAGE plpgsql AS $$BEGIN IF current_database() ~ '__pgditto_' THEN RAISE insufficient_privilege; END IF; RETURN true; END$$",
      "CREATE TABLE t AS SELECT 1 AS i; CREATE INDEX ON t ((f()))",
    ],
  ] as const;

  test.each(failing.slice(0, 2))("%s", async (_, sqlstate, ...statements) => {
    await using source = await freshDatabase("source", { sql: statements });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    const started = Date.now();
    await using cli = await startBetween(source, target, ["--yes", "--json"], { env: { RETRY_COUNT: "10" } });
    const { code, stdout } = await cli.result;
    expect(code).toBe(1);
    expect(Date.now() - started).toBeLessThan(8000);
    const lines = jsonLines(stdout);
    expect(lines.filter((line) => line.type === "task:retry")).toEqual([]);
    expect(lines.at(-1)).toMatchObject({
      type: "run:failed",
      exitCode: 1,
      error: { code: "copy", side: "target", object: "public.t", sqlstate },
    });
    expect(await databasesOf(target.name)).toEqual([target.name]);
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
  });

  test("an index whose function raises an error: the index is named", async () => {
    const [, sqlstate, ...statements] = failing[2];
    await using source = await freshDatabase("source", {
      sql: [statements[0].replace("plpgsql AS", "plpgsql IMMUTABLE AS"), statements[1]],
    });
    await using target = reservedDatabase("target");
    await using cli = await startBetween(source, target, []);
    const { code, stdout, stderr } = await cli.result;
    expect(code).toBe(1);
    expect(stdout).not.toContain("RETRY");
    expect(stderr).toMatch(new RegExp(`What +: index: INDEX public\\.t_f_idx[^]*SQLSTATE +: ${sqlstate}`));
    expect(await databasesOf(target.name)).toEqual([]);
  });
});

describe("a server that goes away", () => {
  test("the target stops for good: the run ends, bounded, and says which side", async () => {
    await using own = await ownCluster("target");
    await using source = await freshDatabase("source", BIG);
    await using cli = await startBetween(source, { url: own.url("copy") }, [], { env: { RETRY_COUNT: "1" } });
    await until(() => /STARTED.*big/.test(cli.stdout));
    const started = Date.now();
    await own.stop("immediate");
    const { code, stderr } = await cli.result;
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(code).toBe(7);
    // what stays is told with its name
    expect(stderr).toMatch(/Side +: target \(ARCHIVE\)[^]*Hint +: \S.*What is done stays in copy__pgditto_\w+: `pgditto sync --resume`/);
    await expectNoBackends(cli.pid);
  });

  test("the target restarts: the run goes on", async () => {
    await using own = await ownCluster("target");
    await using source = await freshDatabase("source", BIG);
    await using cli = await startBetween(source, { url: own.url("copy") }, []);
    await until(() => /STARTED.*big/.test(cli.stdout));
    await own.stop("fast");
    await own.start();
    expect(await cli.result).toMatchObject({ code: 0, stderr: "" });
    expect(await contents(own.url("copy"))).toEqual(await contents(source.url));
    const left = await sql(own.url("postgres"), "SELECT datname FROM pg_database WHERE datname ~ 'pgditto'");
    expect(left).toEqual([]);
    expect(await readFile(own.logFile, "utf8")).not.toContain("PANIC");
  });
});

test("rows that somebody puts into the copy before it is proven: exit 3, a table of what differs, nothing swapped", async () => {
  await using source = await freshDatabase("source", {
    sql: `${SLOW} CREATE TABLE t AS SELECT 1 AS i; CREATE VIEW u AS SELECT 1 AS i; CREATE MATERIALIZED VIEW v AS SELECT slow(1, 2)`,
  });
  await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
  await using cli = await startBetween(source, target, ["--yes"]);
  const staging = urlOf(server("target"), await stagingOf(target.name));
  await until(() => /MVIEW \] \[STARTED/.test(cli.stdout));
  await sql(staging, "CREATE TABLE uninvited (); DROP VIEW u; CREATE INDEX another ON t (i)");
  const { code, stderr } = await cli.result;
  expect(stderr).toMatch(/The copy differs from the source in 4 places\. Nothing was swapped/);
  expect(stderr).toMatch(/WHAT +OBJECT +SOURCE +TARGET\n/);
  expect(stderr).toMatch(/view +public\.u +there +missing/);
  expect(stderr).toMatch(/table +public\.uninvited +missing +there/);
  expect(code).toBe(3);
  expect(await databasesOf(target.name)).toEqual([target.name]);
  expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
});
