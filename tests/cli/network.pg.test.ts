import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findServerBinaries } from "../../src/demo/binaries.ts";
import { startCluster } from "../../src/demo/cluster.ts";
import { databasesOf, jsonLines, runBetween, SLOW, stagingOf, startBetween, until } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { proxyTo } from "../support/proxy.ts";
import { FAST, server } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** The server's own version, in what it says of itself, is another one. */
const saying =
  (major: number) =>
  (bytes: Buffer): Buffer => {
    const at = bytes.indexOf("server_version\0");
    if (at >= 0) bytes.write(String(major), at + "server_version\0".length, "latin1");
    return bytes;
  };

describe("a server that is too old", () => {
  test("either side: refused by name, exit 6, before anything is asked of it", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t (i int)" });
    await using target = reservedDatabase("target");
    await using oldSource = await proxyTo(source.url, saying(11));
    await using oldTarget = await proxyTo(target.url, saying(10));
    for (const command of [[], ["plan"], ["doctor"]]) {
      const { code, stdout, stderr } = await runBetween(oldSource, oldTarget, command);
      expect(code).toBe(6);
      expect(stdout + stderr).toMatch(/The source is PostgreSQL 11\.\S*.*needs 12 or newer/);
      expect(stdout + stderr).toMatch(/The target is PostgreSQL 10\.\S*.*needs 12 or newer/);
    }
    expect(await databasesOf(target.name)).toEqual([]);
  });
});

describe("a pg_dump that is older than the server", () => {
  test("is not used: the built-in one is, and the run says so; asked for by name it is refused", async ({ skip }) => {
    const embedded = await findServerBinaries({ prefer: "embedded", env: process.env });
    if (embedded.kind !== "embedded" || embedded.major < 18) return skip("no embedded server of a new version is installed");
    await using own = await startCluster({ binaries: embedded, settings: FAST });
    await sql(own.url("postgres"), "CREATE DATABASE shop");
    await sql(own.url("shop"), "CREATE TABLE t AS SELECT n FROM generate_series(1, 10) n; CREATE VIEW v AS SELECT * FROM t");
    // whatever is installed here, a folder with an old one goes before it
    const folder = await mkdtemp(join(tmpdir(), "test-old-"));
    await writeFile(join(folder, "pg_dump"), "#!/bin/sh\necho 'pg_dump (PostgreSQL) 13.4'\n");
    await chmod(join(folder, "pg_dump"), 0o755);
    try {
      const shop = { url: own.url("shop") };
      const { code, stdout } = await runBetween(shop, { url: own.url("copy") }, [], { env: { PATH: `${folder}:/nowhere` } });
      expect(code).toBe(0);
      const installed = /schema read with (.*?);/.exec(stdout)?.[1] ?? "";
      // a newer one may be installed in the usual folders
      if (!/^pg_dump (?:1[89]|[2-9]\d)/.test(installed)) {
        expect(installed).toMatch(/built-in|WASM/i);
        expect(stdout).toMatch(/\[NOTE {2}\] \[INFO +\] pg-dump +\| No native pg_dump suits server 18 \(found 13\.4 in /);
      }
      expect(await contents(own.url("copy"))).toEqual(await contents(own.url("shop")));
      const named = await runBetween(shop, { url: own.url("copy2") }, ["--pg-dump", "native"], { env: { PGDITTO_PG_BIN: folder } });
      expect(named.code).not.toBe(0);
      expect(named.stderr).toMatch(/13\.4/);
      expect(await sql(own.url("postgres"), "SELECT datname FROM pg_database WHERE datname ~ '^copy2'")).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

const SLOW_ROWS = `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 0.05))); INSERT INTO t SELECT n FROM generate_series(1, 400) n;`;

describe("a network that swallows everything", () => {
  test.each(["source", "target"] as const)(
    "on the way to the %s, and then Ctrl+C: an end in sight, and what may be left is named",
    async (side) => {
      await using source = await freshDatabase("source", { sql: SLOW_ROWS });
      await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
      await using proxy = await proxyTo(side === "source" ? source.url : target.url);
      await using cli = await startBetween(side === "source" ? proxy : source, side === "target" ? proxy : target, ["--yes", "--json"]);
      const staging = await stagingOf(target.name);
      await until(() => cli.stdout.includes('"kind":"copy"'));
      proxy.freeze();
      const started = Date.now();
      cli.kill("SIGINT");
      const { code, stdout } = await cli.result;
      expect(Date.now() - started).toBeLessThan(15_000);
      expect(code).toBe(130);
      expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
      const cleanup = jsonLines(stdout).filter((line) => line.type === "cleanup");
      expect(cleanup).toEqual([expect.objectContaining({ object: staging, removed: side === "source" })]);
      if (side === "source") expect(await databasesOf(target.name)).toEqual([target.name]);
    },
  );
});

describe("a server that stands still", () => {
  test.each(["source", "target"] as const)(
    "the %s: told of, then given up after --stall-timeout, and the target as it was",
    async (side) => {
      await using source = await freshDatabase("source", { sql: SLOW_ROWS });
      await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
      await using proxy = await proxyTo(side === "source" ? source.url : target.url);
      await using cli = await startBetween(side === "source" ? proxy : source, side === "target" ? proxy : target, [
        "--yes",
        "--json",
        "--stall-timeout",
        "4",
      ]);
      await until(() => cli.stdout.includes('"kind":"copy"'));
      proxy.freeze();
      const { code, stdout } = await cli.result;
      expect(code).toBe(7);
      const lines = jsonLines(stdout);
      expect(lines.filter(({ type, code: name }) => type === "message" && name === "stalled")).toHaveLength(1);
      expect(lines.at(-1)).toMatchObject({
        type: "run:failed",
        error: {
          side,
          message: expect.stringContaining(`The ${side} has not answered for 4`),
          hint: expect.stringContaining("--stall-timeout"),
        },
      });
      expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
    },
  );

  test("a long statement is none: the servers answer meanwhile", async () => {
    await using source = await freshDatabase("source", {
      sql: `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 4))); INSERT INTO t VALUES (1)`,
    });
    await using target = reservedDatabase("target");
    const { code, stdout } = await runBetween(source, target, ["--json", "--stall-timeout", "1"]);
    expect(code, stdout).toBe(0);
    expect(stdout).not.toContain('"code":"stalled"');
  });
});

test("an older target is allowed, with a warning", async ({ skip }) => {
  if (server("source").major < 14) return skip("there is no version between 12 and this one to pretend");
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS i" });
  await using target = reservedDatabase("target");
  await using older = await proxyTo(target.url, saying(server("source").major - 1));
  const { code, stdout } = await runBetween(source, older, []);
  expect(stdout).toMatch(/older-target .*older than the source's/);
  expect(code).toBe(0);
  expect(await contents(target.url)).toEqual(await contents(source.url));
});
