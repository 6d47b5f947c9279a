import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { findServerBinaries } from "../src/demo/binaries.ts";
import { startCluster } from "../src/demo/cluster.ts";
import { fillShop } from "../src/demo/shop.ts";
import type { Side } from "../src/errors.ts";
import { freshDatabase, freshShop, uniqueName } from "./support/databases.ts";
import { dumpText } from "./support/dump-text.ts";
import { contents, databaseFacts, largeObjects, sequenceValues, tableChecksums } from "./support/oracle.ts";
import { createTestRoles, dropTestRoles, fillRolesAndGrants, roleName } from "./support/roles.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { FAST, ownCluster, server, urlOf } from "./support/servers.ts";
import { openSession, sql } from "./support/sql.ts";

const SIDES: Side[] = ["source", "target"];

describe("the two servers", () => {
  test.each(SIDES)("%s answers, as the version it says", async (side) => {
    const { version, major } = server(side);
    const rows = await sql(urlOf(server(side), "postgres"), "SHOW server_version");
    expect(String(rows[0]?.["server_version"])).toMatch(new RegExp(`^${version}( |$)`));
    expect(major).toBeGreaterThanOrEqual(12);
  });

  test("a fresh database goes, with its staging databases and whoever is connected", async () => {
    const admin = urlOf(server("target"), "postgres");
    const name = uniqueName(`Ü"%/?#`);
    {
      await using database = await freshDatabase("target", { name, sql: ["CREATE TABLE t (i int)", "INSERT INTO t VALUES (7)"] });
      expect(await database.sql("SELECT i FROM t WHERE i = $1", [7])).toEqual([{ i: 7 }]);
      for (const suffix of ["__pgditto_1", "_previous"])
        await sql(admin, `CREATE DATABASE "${name.replaceAll('"', '""')}${suffix}" TEMPLATE template0`);
      await openSession(database.url);
    }
    expect(await sql(admin, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [name])).toEqual([]);
  });

  test("a server of one's own stops, starts again on its port, and survives a crash", async () => {
    await using cluster = await ownCluster("source");
    await sql(cluster.url("postgres"), "CREATE TABLE t AS SELECT 1 AS i");
    const { port, pid } = cluster;
    await cluster.stop();
    expect(cluster.running).toBe(false);
    await cluster.start();
    await cluster.stop("crash");
    await cluster.start();
    expect(cluster.port).toBe(port);
    expect(cluster.pid).not.toBe(pid);
    expect(await sql(cluster.url("postgres"), "SELECT i FROM t")).toEqual([{ i: 1 }]);
  });

  test("a start that is aborted leaves nothing", async () => {
    let folder = "";
    const log = (line: string) => {
      folder = /\S+$/.exec(line)?.[0] ?? "";
    };
    await expect(ownCluster("source", { signal: AbortSignal.timeout(200), log })).rejects.toMatchObject({ name: "TimeoutError" });
    expect(folder).toContain(tmpdir());
    expect(existsSync(folder)).toBe(false);
  });

  test("a setting that the server does not know is shown with the server's own words", async () => {
    await expect(ownCluster("source", { settings: { no_such_setting: "1" } })).rejects.toMatchObject({
      code: "server",
      detail: expect.stringContaining("no_such_setting"),
    });
  });
});

describe("the shop", () => {
  test("is the same on both servers, however they write dates and bytes", async () => {
    await using source = await freshShop("source");
    await using target = await freshShop("target");
    const here = await contents(source.url);
    expect(await contents(target.url)).toEqual(here);
    const tables = await tableChecksums(source.url);
    expect(tables["public.orders"]?.rows).toBeGreaterThan(tables["archive.orders"]?.rows ?? 0);
    expect(tables["public.nothing"]?.rows).toBe(3);
    expect(tables["public.customer_lifetime"]).toEqual({ rows: 0, hash: "unpopulated" });
    expect(Object.keys(tables).filter((name) => name.includes("transactions_"))).toHaveLength(25);
    expect(await sequenceValues(source.url)).toMatchObject({ "public.set_but_not_called": "42 false", "public.counting_down": "-98 true" });
    expect(await largeObjects(source.url)).toMatchObject({
      "424242": { bytes: 35_000 },
      "424243": { bytes: 0 },
      "424244": { bytes: 100_003 },
    });
    if (server("source").major === server("target").major) expect(await dumpText(target.url)).toEqual(await dumpText(source.url));
  });

  test("a changed, a missing and a doubled row each change the checksum", async () => {
    await using shop = await freshShop("source");
    const seen = new Set([(await tableChecksums(shop.url))["public.places"]?.hash]);
    for (const change of [
      "UPDATE ONLY public.places SET elevation = elevation + 1 WHERE population = 7",
      "DELETE FROM ONLY public.places WHERE population = 8",
      "INSERT INTO public.places SELECT * FROM ONLY public.places WHERE population = 9",
      "UPDATE ONLY public.places SET population = NULL WHERE population = 10",
    ]) {
      await shop.sql(change);
      seen.add((await tableChecksums(shop.url))["public.places"]?.hash);
    }
    expect(seen.size).toBe(5);
  });

  test("a rewritten table with its columns in another order has the same checksum", async () => {
    await using one = await freshDatabase("source", {
      sql: "CREATE TABLE t AS SELECT n AS a, 'x' || n AS b, n / 3.0 AS c FROM generate_series(1, 100) n",
    });
    await using two = await freshDatabase("source", {
      sql: "CREATE TABLE t AS SELECT n / 3.0 AS c, n AS a, 'x' || n AS b FROM generate_series(100, 1, -1) n",
    });
    expect(await tableChecksums(two.url)).toEqual(await tableChecksums(one.url));
  });

  test("takes roles, owners, privileges and settings", async () => {
    const prefix = uniqueName("pgditto_test");
    const admin = urlOf(server("source"), "postgres");
    try {
      await using shop = await freshShop("source");
      await fillRolesAndGrants(shop.sql, prefix);
      await createTestRoles(shop.sql, prefix);
      expect(await databaseFacts(shop.url)).toMatchObject({
        owner: roleName(prefix, "owner"),
        settings: [{ role: "" }, { role: roleName(prefix, "reader") }],
      });
    } finally {
      await dropTestRoles((text) => sql(admin, text), prefix);
    }
  });
});

test("the embedded server runs too, and holds the shop", async () => {
  const binaries = await findServerBinaries({ prefer: "embedded", env: process.env });
  expect(binaries.kind).toBe("embedded");
  await using cluster = await startCluster({ binaries, settings: FAST });
  {
    await using session = await openSession(cluster.url("postgres"));
    await fillShop((text) => session.query(text), 0.02);
  }
  await using shop = await freshShop("source");
  expect(await contents(cluster.url("postgres"))).toEqual(await contents(shop.url));
});

describe("the command line", () => {
  const script = (code: string) => ({ main: "-e", args: [code] });

  test("a child has a clean environment and a time limit", async () => {
    const { main, args } = script(
      "console.log(JSON.stringify(Object.keys(process.env).sort())); console.error(process.cwd() === process.env.HOME)",
    );
    expect(await runCli(args, { main, env: { PG_JOBS: "2" } })).toEqual({
      code: 0,
      signal: null,
      stdout: '["HOME","PATH","PG_JOBS","TMPDIR"]\n',
      stderr: "true\n",
    });
    await expect(runCli(["setInterval(() => {}, 1000)"], { main: "-e", timeoutMs: 300 })).rejects.toThrow("took more than 300 ms");
  });

  test("a child can be watched and killed", async () => {
    await using cli = await startCli(["console.log('ready'); setInterval(() => {}, 1000)"], { main: "-e" });
    await cli.waitFor(/ready/);
    cli.kill("SIGTERM");
    expect(await cli.result).toMatchObject({ code: null, signal: "SIGTERM" });
  });
});
