import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { jsonLines, runBetween, startBetween, until } from "../support/cli-run.ts";
import { ownCluster } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";

/** A server of our own: what stops CREATE DATABASE stops everybody's. */
let cluster: Cluster;
const url = (database: string): { url: string } => ({ url: cluster.url(database) });
const template = ["--strategy", "template", "--yes"];
beforeAll(async () => {
  cluster = await ownCluster("source");
  await sql(cluster.url("postgres"), "CREATE DATABASE shop");
  await sql(cluster.url("shop"), "CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 1000) n");
  await sql(cluster.url("postgres"), "CREATE DATABASE live");
  await sql(cluster.url("live"), "CREATE TABLE precious AS SELECT 7 AS i");
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

/** How many rows there are, seen by a session of its own: in a transaction pg_stat_activity stands still. */
const count = async (from: string): Promise<number> => (await sql(cluster.url("postgres"), `SELECT ${from}`)).length;
const databases = async (): Promise<unknown[]> =>
  (await sql(cluster.url("postgres"), "SELECT datname FROM pg_database WHERE oid >= 16384 ORDER BY 1")).map(({ datname }) => datname);

describe("--strategy template on the command line", () => {
  test("together with what leaves something out: exit 2, names both", async () => {
    const { code, stderr } = await runBetween(url("shop"), url("live"), [...template, "--no-owner", "-T", "t"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--strategy template and --exclude-table, --no-owner contradict each other/);
    const variable = await runBetween(url("shop"), url("live"), template, { env: { CORE_TABLES: "t" } });
    expect(variable).toMatchObject({ code: 2, stderr: expect.stringContaining("CORE_TABLES") });
    const misspelt = await runBetween(url("shop"), url("live"), ["--strategy", "templat"]);
    expect(misspelt).toMatchObject({ code: 2, stderr: expect.stringMatching(/--strategy: "templat"[^]*Did you mean template\?/) });
  });

  test("plan offers it, with the sessions that are in the way; doctor refuses it then", async () => {
    await using _session = await openSession(cluster.url("shop"));
    const plan = await runBetween(url("shop"), url("live"), ["plan"]);
    expect(plan).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Same server: --strategy template copies [\d.]+M of files, in about \d.*there is 1 session now\./),
    });
    const json = await runBetween(url("shop"), url("live"), ["plan", "--json"]);
    expect(jsonLines(json.stdout)[0]).toMatchObject({
      template: { sessions: 1, bytes: expect.any(Number), estimatedMs: expect.any(Number) },
    });
    const doctor = await runBetween(url("shop"), url("live"), ["doctor", ...template]);
    expect(doctor).toMatchObject({ code: 6, stdout: expect.stringMatching(/1 session in the source shop[^]*pg_terminate_backend/) });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s while the server copies: new sessions had waited and go on, nothing is left, the target as it was",
    async (signal, exit) => {
      await using admin = await openSession(cluster.url("postgres"));
      await admin.query("BEGIN; LOCK TABLE pg_database IN SHARE ROW EXCLUSIVE MODE");
      await using cli = await startBetween(url("shop"), url("live"), template);
      await until(async () => (await count("FROM pg_stat_activity WHERE query ~ '^CREATE DATABASE' AND wait_event_type = 'Lock'")) === 1);
      let entered = false;
      const visitor = sql(cluster.url("shop"), "SELECT count(*)::int AS n FROM t").then((rows) => {
        entered = true;
        return rows;
      });
      await until(async () => (await count("FROM pg_locks WHERE locktype = 'object' AND NOT granted")) === 1);
      expect(entered).toBe(false);
      const began = Date.now();
      cli.kill(signal);
      expect((await cli.result).code).toBe(exit);
      expect(Date.now() - began).toBeLessThan(5000);
      expect(await visitor).toEqual([{ n: 1000 }]);
      await admin.query("ROLLBACK");
      expect(await databases()).toEqual(["live", "shop"]);
      expect(await sql(cluster.url("live"), "SELECT i FROM precious")).toEqual([{ i: 7 }]);
      await until(async () => (await count("FROM pg_stat_activity WHERE application_name ~ '^pgditto'")) === 0, 3000);
    },
  );

  test("the database postgres as source, which pgditto itself works from", async () => {
    const { code, stdout, stderr } = await runBetween(url("postgres"), url("other"), template);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/Strategy +: template/);
  });

  test("the target is replaced, and the source is free again", async () => {
    const { code, stdout } = await runBetween(url("shop"), url("live"), template);
    expect(code).toBe(0);
    expect(stdout).toMatch(/1,000 rows counted on both sides/);
    expect(await sql(cluster.url("live"), "SELECT count(*)::int AS n FROM t")).toEqual([{ n: 1000 }]);
    await sql(cluster.url("shop"), "INSERT INTO t VALUES (0)");
  });
});
