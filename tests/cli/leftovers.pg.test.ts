import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { backendsOf, between, databasesOf, jsonLines, runBetween, SLOW, stagingOf, startBetween, until } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { type CliResult, runCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";
import { quoteName, sql } from "../support/sql.ts";
import { noTerminal, runInTerminal } from "../support/terminal.ts";

const QUICK = { sql: "CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 10) n" };
const ENDLESS = { sql: `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 0.05))); INSERT INTO t SELECT n FROM generate_series(1, 1200) n;` };
const admin = urlOf(server("target"), "postgres");

/** Starts a copy that takes a minute, and kills the process as a crash would. */
async function crash(source: { url: string }, target: { url: string; name: string }): Promise<string> {
  await using cli = await startBetween(source, target, ["--yes"]);
  const staging = await stagingOf(target.name);
  await cli.waitFor(/\[COPY {2}\]/);
  cli.kill("SIGKILL");
  expect(await cli.result).toMatchObject({ code: null, signal: "SIGKILL" });
  // a worker's backend goes on until it has checked the rows that were on their way: minutes, if need be
  await until(async () => (await backendsOf(cli.pid)).every((backend) => backend.includes("COPY")), 3000);
  return staging;
}

const cleanup = (args: readonly string[] = [], input = ""): Promise<CliResult> =>
  runCli(["cleanup", ...args], { env: { ARCHIVE_DB_URL: admin }, input });

describe("after a run was killed with SIGKILL", () => {
  test("the target is as it was; `cleanup` lists what was left, and removes it with --yes", async () => {
    await using source = await freshDatabase("source", ENDLESS);
    await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    const staging = await crash(source, target);
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
    expect(await databasesOf(target.name)).toEqual([target.name, staging]);

    // nobody there to say yes
    const listed = await cleanup();
    expect(listed.code).toBe(6);
    expect(listed.stdout).toMatch(new RegExp(`${staging} .*left by a dead run`));
    expect(listed.stderr).toMatch(/Hint +: Pass --yes/);
    const json = await cleanup(["--json"]);
    expect(json.code).toBe(0);
    expect(jsonLines(json.stdout)).toMatchObject([
      { type: "cleanup", found: expect.arrayContaining([expect.objectContaining({ object: staging, alive: false })]) },
    ]);
    expect(await databasesOf(target.name)).toEqual([target.name, staging]);

    // of all targets of the server, so it is not for a test that shares it: the library takes a list
    const { leftovers, cleanup: remove } = await import("../../src/index.ts");
    const mine = (await leftovers({ target: admin })).filter(({ object }) => object === staging);
    expect(mine).toMatchObject([{ target: target.name, alive: false }]);
    expect(await remove(mine, { target: admin })).toBe(1);
    expect(await databasesOf(target.name)).toEqual([target.name]);
    expect(await remove(mine, { target: admin })).toBe(0);
  });

  test("the next sync removes what was left of its own target, and of no other with a name like it", async () => {
    await using source = await freshDatabase("source", ENDLESS);
    await using quick = await freshDatabase("source", QUICK);
    const name = uniqueName("shop");
    await using shop = reservedDatabase("target", name);
    await using other = reservedDatabase("target", `${name}__x`);
    // a user's own, which only looks like ours
    const lookalikes = [`${name}__pgditto_notes`, `${name}__pgditto_old`, `${name}__pgditto_2024_01_01`];
    for (const lookalike of lookalikes) await sql(admin, `CREATE DATABASE ${quoteName(lookalike)} TEMPLATE template0`);
    const mine = await crash(source, shop);
    const theirs = await crash(source, other);
    await using alive = reservedDatabase("target", `${name}__x__y`);
    await using living = await startBetween(source, alive);
    const livingStaging = await stagingOf(alive.name);

    const { code, stdout } = await runBetween(quick, shop);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`connected[^]*\\[CLEAN \\] \\[DONE +\\] ${mine} +\\| removed: left by run[^]*PHASE 1[^]*FINAL CLEANUP\n-+\nnothing of`),
    );
    expect(await databasesOf(name)).toEqual([name, ...lookalikes, theirs, livingStaging].sort());
    expect((await runBetween(quick, other)).code).toBe(0);
    expect(await databasesOf(name)).toEqual([name, ...lookalikes, other.name, livingStaging].sort());
    // the living one is told as such, and goes on
    expect((await cleanup(["--json"])).stdout).toMatch(new RegExp(`"object":"${livingStaging}"[^}]*"alive":true`));
    expect(await databasesOf(alive.name)).toEqual([livingStaging]);
    living.kill("SIGINT");
    expect((await living.result).code).toBe(130);
    for (const lookalike of lookalikes) await sql(admin, `DROP DATABASE ${quoteName(lookalike)}`);
  });

  test.skipIf(noTerminal !== undefined).each([
    ["Enter", 0],
    ["C-c", 130],
  ])("at a terminal `cleanup` asks; %s is a no, with exit %i", async (key, code) => {
    await using source = await freshDatabase("source", ENDLESS);
    await using target = reservedDatabase("target");
    const staging = await crash(source, target);
    await using terminal = await runInTerminal(["cleanup"], { ARCHIVE_DB_URL: admin });
    await terminal.waitFor(/Remove \d+ leftovers? of dead runs\? \[y\/N\]/);
    expect(await terminal.screen()).toMatch(new RegExp(staging));
    await terminal.type(key);
    expect(await terminal.exitCode()).toBe(code);
    expect(await databasesOf(target.name)).toEqual([staging]);
  });
});

describe("two runs on one target", () => {
  test("the second ends with 9 and names the first; the first is not disturbed", async () => {
    await using source = await freshDatabase("source", {
      sql: `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 0.1))); INSERT INTO t SELECT n FROM generate_series(1, 120) n;`,
    });
    await using target = reservedDatabase("target");
    await using first = await startBetween(source, target);
    const staging = await stagingOf(target.name);
    const run = /\[COPY|Run +: (\w+)/.exec(first.stdout)?.[1] ?? "?";
    for (const args of [[], ["--yes"], ["--mode", "recreate", "--yes"]]) {
      const second = await runBetween(source, target, args);
      expect(second.code).toBe(9);
      expect(second.stderr).toMatch(new RegExp(`Another run holds the target ${target.name}[^]*pgditto ${run} [^]*${first.pid}@[^]*Hint`));
      expect(second.stdout).not.toContain("PHASE");
    }
    expect(await databasesOf(target.name)).toEqual([staging]);
    // another target on the same server is free
    await using elsewhere = reservedDatabase("target");
    await using quick = await freshDatabase("source", QUICK);
    expect((await runBetween(quick, elsewhere)).code).toBe(0);
    expect((await first.result).code).toBe(0);
    expect(await contents(target.url)).toEqual(await contents(source.url));
    // and its lock goes with it
    expect((await runBetween(quick, target)).code).toBe(0);
  });

  test("started in the same moment: never both, and the target is a whole copy or as it was", async () => {
    await using source = await freshDatabase("source", QUICK);
    await using target = reservedDatabase("target");
    const results = await Promise.all([1, 2, 3].map(() => runBetween(source, target)));
    for (const { code } of results) expect([0, 9]).toContain(code);
    expect(await until(async () => (await databasesOf(`${target.name}__pgditto`)).length === 0)).toBe(true);
    if (results.some(({ code }) => code === 0)) expect(await contents(target.url)).toEqual(await contents(source.url));
    else expect(await databasesOf(target.name)).toEqual([]);
  });

  test("whoever waits for the name in vain, with others connecting all the time, gets it", async () => {
    await using source = await freshDatabase("source", QUICK);
    await using target = reservedDatabase("target");
    expect((await runBetween(source, target)).code).toBe(0);
    const stop = new AbortController();
    const visitors = [1, 2, 3, 4].map(async () => {
      while (!stop.signal.aborted) {
        await target.sql("SELECT pg_sleep(0.2)").catch(() => sleep(20));
      }
    });
    try {
      await source.sql("INSERT INTO t VALUES (99)");
      expect((await runBetween(source, target)).code).toBe(0);
    } finally {
      stop.abort();
      await Promise.all(visitors);
    }
    expect(await contents(target.url)).toEqual(await contents(source.url));
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });
});

test("a source that is a target's staging database by name is a database like any other", async () => {
  await using source = await freshDatabase("source", { name: `${uniqueName()}__pgditto_abcdefghij`, ...QUICK });
  await using target = reservedDatabase("target");
  expect(await runCli([], { env: between(source, target) })).toMatchObject({ code: 0 });
  expect(await contents(target.url)).toEqual(await contents(source.url));
});
