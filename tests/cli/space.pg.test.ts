import { mkdir, chown, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { findRunUser } from "../../src/demo/run-user.ts";
import { jsonLines, runBetween, SLOW, startBetween, until } from "../support/cli-run.ts";
import { freshDatabase, type FreshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { ownCluster, server, urlOf } from "../support/servers.ts";
import { NO_MOUNT, smallDisk } from "../support/small-disk.ts";
import { sql } from "../support/sql.ts";

const MB = 1024 ** 2;

/** About so many megabytes of rows; every row takes a page, so that they are made quickly and are as large in WAL. */
const rows = (megabytes: number, table = "t"): string =>
  `CREATE TABLE ${table} (i int, filler text); ALTER TABLE ${table} ALTER filler SET STORAGE PLAIN;
   INSERT INTO ${table} SELECT n, repeat('x', 7900) FROM generate_series(1, ${megabytes * 128}) n;`;

/** Materialized views that hold next to nothing on the source, and about so many megabytes each in a staging database. */
const growing = (megabytes: number, views = 1): string =>
  `CREATE TABLE t AS SELECT n FROM generate_series(1, ${megabytes}) n;
   CREATE FUNCTION many(i int) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RETURN CASE WHEN current_database() ~ '__pgditto_' THEN 130 ELSE 0 END; END$$;
   DO $$BEGIN FOR i IN 1..${views} LOOP
     EXECUTE format('CREATE MATERIALIZED VIEW v%s AS SELECT t.n, repeat(''x'', 8100) AS filler FROM t, generate_series(1, public.many(n)) g', i);
     EXECUTE format('ALTER MATERIALIZED VIEW v%s ALTER filler SET STORAGE PLAIN', i);
   END LOOP; END$$;`;

/** A server of our own with a live database, whose pg_wal is on a small disk. */
async function withLive(waldir: string, maxWalSize = "2GB"): Promise<Cluster> {
  const cluster = await ownCluster("target", {
    initdbArgs: ["--waldir", waldir],
    settings: { max_wal_size: maxWalSize, checkpoint_timeout: "1h" },
  });
  await sql(cluster.url("postgres"), "CREATE DATABASE live");
  await sql(cluster.url("live"), "CREATE TABLE precious AS SELECT 42 AS i");
  return cluster;
}

/** The server lives and has never been in trouble, the target is as it was, and nothing is left of the copy. */
async function expectUnharmed(cluster: Cluster): Promise<void> {
  expect(await sql(cluster.url("postgres"), "SELECT datname FROM pg_database WHERE datname ~ 'live' ORDER BY 1")).toEqual([
    { datname: "live" },
  ]);
  expect(await sql(cluster.url("live"), "SELECT i FROM precious")).toEqual([{ i: 42 }]);
  await sql(cluster.url("live"), "CREATE TABLE more AS SELECT 1 AS i; DROP TABLE more");
  expect(await readFile(cluster.logFile, "utf8")).not.toMatch(/PANIC|in recovery|terminated by signal/);
}

describe("a disk of the target that holds pg_wal", () => {
  test("is too small from the start: refused with figures, by sync and doctor, and nothing is touched", async ({ skip }) => {
    await using disk = await smallDisk(200);
    if (!disk) return skip(NO_MOUNT);
    await using cluster = await withLive(join(disk.path, "wal"));
    await using source = await freshDatabase("source", { sql: rows(300) });
    for (const command of ["sync", "doctor"]) {
      const { code, stdout, stderr } = await runBetween(source, { url: cluster.url("live") }, [command, "--yes"]);
      expect(code, stdout).toBe(6);
      expect(stdout + stderr).toMatch(/pg_wal\) has [\d.]+M free.*the copy needs about 40\dM: 33\dM for WAL, 64.0M that stay free/);
      expect(stdout + stderr).toMatch(/max_wal_size/);
    }
    await expectUnharmed(cluster);
    // what is not copied needs no room
    const { code, stderr } = await runBetween(source, { url: cluster.url("live") }, ["--yes", "--exclude-table", "t"]);
    expect(code, stderr).toBe(0);
  });

  test("is large enough for max_wal_size, and too small for WAL that nobody may take away: names the slot", async ({ skip }) => {
    await using disk = await smallDisk(200);
    if (!disk) return skip(NO_MOUNT);
    await using cluster = await withLive(join(disk.path, "wal"), "64MB");
    await using source = await freshDatabase("source", { sql: rows(300) });
    const live = { url: cluster.url("live") };
    expect(await runBetween(source, live, ["doctor"])).toMatchObject({ code: 0 });
    await sql(cluster.url("postgres"), "SELECT pg_create_physical_replication_slot('read_by_nobody', true)");
    const { code, stdout } = await runBetween(source, live, ["doctor"]);
    expect(code).toBe(6);
    expect(stdout).toMatch(/33\dM for WAL[^]*kept for replication slots that nobody reads: read_by_nobody/);
  });

  test("fills up while rows are copied: the run ends before the server does", async ({ skip }) => {
    await using disk = await smallDisk(200);
    if (!disk) return skip(NO_MOUNT);
    await using cluster = await withLive(join(disk.path, "wal"));
    await using source = await freshDatabase("source", {
      sql: `${SLOW} ${rows(20)} CREATE TABLE s (i int CHECK (slow(i, 0.05))); INSERT INTO s SELECT n FROM generate_series(1, 2000) n;`,
    });
    await using cli = await startBetween(source, { url: cluster.url("live") }, ["--yes", "--json"]);
    await until(() => cli.stdout.includes('"kind":"copy"'));
    await disk.fillTo(50 * MB);
    const { code, stdout } = await cli.result;
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      type: "run:failed",
      exitCode: 6,
      error: {
        code: "space",
        side: "target",
        message: expect.stringMatching(/\(pg_wal\) is nearly full: [\d.]+M are free, and 64\.0M have to stay free/),
        hint: expect.stringMatching(/as it was.*would have stopped the whole server/),
      },
    });
    expect(code).toBe(6);
    await expectUnharmed(cluster);
  });

  // 160 MB of WAL went within half a second when this was made: looking twice a second was too late
  test.for([180, 320])(
    "of %d MB fills up by the copy itself, more than the source let expect: the run ends before the server does",
    async (size, { skip }) => {
      await using disk = await smallDisk(size);
      if (!disk) return skip(NO_MOUNT);
      await using cluster = await withLive(join(disk.path, "wal"));
      await using source = await freshDatabase("source", { sql: growing(500, 4) });
      const { code, stdout } = await runBetween(source, { url: cluster.url("live") }, ["--yes", "--json"]);
      expect(jsonLines(stdout).at(-1), stdout.slice(-3000)).toMatchObject({ type: "run:failed", exitCode: 6, error: { code: "space" } });
      expect(code).toBe(6);
      await expectUnharmed(cluster);
    },
  );
});

describe("a tablespace of the target", () => {
  /** A database with a table in a tablespace of that name, which the target has on the small disk. */
  async function inTablespace(path: string, size: string, work: (source: FreshDatabase, space: string) => Promise<void>): Promise<void> {
    const space = uniqueName("pgditto_test_space");
    const user = await findRunUser();
    for (const side of ["source", "target"] as const) {
      const folder = join(side === "target" ? path : join(path, "..", uniqueName("space")), "space");
      await mkdir(folder, { recursive: true });
      if (user) await chown(folder, user.uid, user.gid);
      await sql(urlOf(server(side), "postgres"), `CREATE TABLESPACE ${space} LOCATION '${folder}'`);
    }
    try {
      await using source = await freshDatabase("source", { sql: `SET default_tablespace = ${space}; ${size}` });
      await work(source, space);
    } finally {
      for (const side of ["source", "target"] as const) await sql(urlOf(server(side), "postgres"), `DROP TABLESPACE ${space}`);
    }
  }

  test("is too small from the start: refused, with the figures of that tablespace", async ({ skip }) => {
    await using disk = await smallDisk(40);
    if (!disk) return skip(NO_MOUNT);
    await inTablespace(disk.path, rows(100), async (source, space) => {
      await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
      const { code, stderr } = await runBetween(source, target, ["--yes"]);
      expect(code).toBe(6);
      expect(stderr).toMatch(
        new RegExp(`tablespace ${space}\\) has 4\\d?\\.?\\dM free; the copy needs about 10\\dM: 10\\dM for tables and indexes`),
      );
      expect(stderr).toMatch(/--exclude-table.*--mode recreate/);
      expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
      const elsewhere = await runBetween(source, target, ["--yes", "--no-tablespaces"]);
      expect(elsewhere.code, elsewhere.stderr).toBe(0);
    });
  });

  test("is full, seen or not: exit 6, the staging database gone, the target as it was, and the server lives", async ({ skip }) => {
    await using disk = await smallDisk(60);
    if (!disk) return skip(NO_MOUNT);
    const role = uniqueName("pgditto_test");
    const admin = urlOf(server("target"), "postgres");
    await inTablespace(
      disk.path,
      `${SLOW} ${rows(30)} CREATE TABLE s (i int CHECK (slow(i, 0.1))); INSERT INTO s SELECT n FROM generate_series(1, 50) n;`,
      async (source, space) => {
        await sql(admin, `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'm'; GRANT CREATE ON TABLESPACE ${space} TO ${role}`);
        try {
          for (const seen of [true, false]) {
            await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
            await sql(admin, `ALTER DATABASE ${target.name} OWNER TO ${role}`);
            const url = new URL(target.url);
            // who is no superuser does not learn where the server's folders are
            if (!seen) [url.username, url.password] = [role, "m"];
            if (!seen) await disk.fillTo(10 * MB);
            await using cli = await startBetween(source, { url: url.href }, ["--yes", "--json", "--no-owner", "--no-acl"]);
            if (seen) await until(() => cli.stdout.includes('"object":"public.s"'));
            if (seen) await disk.fillTo(MB / 4);
            const { code, stdout } = await cli.result;
            const lines = jsonLines(stdout);
            expect(lines.filter(({ code: name }) => name === "space-not-seen")).toHaveLength(seen ? 0 : 1);
            expect(lines.at(-1), stdout.slice(-2000)).toMatchObject({
              type: "run:failed",
              exitCode: 6,
              error: { code: "space", side: "target", hint: expect.stringContaining("as it was") },
            });
            if (!seen) expect(lines.at(-1)).toMatchObject({ error: { sqlstate: "53100" } });
            expect(code).toBe(6);
            expect(await sql(admin, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [target.name])).toEqual([
              { datname: target.name },
            ]);
            expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
            await disk.fillTo(disk.size);
          }
        } finally {
          await sql(admin, `DROP OWNED BY ${role}; REVOKE ALL ON TABLESPACE ${space} FROM ${role}; DROP ROLE ${role}`);
        }
      },
    );
  });
});

describe("--max-target-size", () => {
  test("less than the source holds: refused before anything is touched", async () => {
    await using source = await freshDatabase("source", { sql: rows(40) });
    await using target = reservedDatabase("target");
    const { code, stderr } = await runBetween(source, target, ["--max-target-size", "20MB"]);
    expect(code).toBe(6);
    expect(stderr).toMatch(/needs about 4\d\.\dM, and --max-target-size is 20\.0M/);
    const enough = await runBetween(source, target, ["--max-target-size", "100MB"]);
    expect(enough.code, enough.stderr).toBe(0);
  });

  test("less than the copy becomes: the run ends, and nothing is left", async () => {
    await using source = await freshDatabase("source", { sql: growing(60) });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    const { code, stdout } = await runBetween(source, target, ["--yes", "--json", "--max-target-size", "30MB"]);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      type: "run:failed",
      exitCode: 6,
      error: { code: "space", message: expect.stringMatching(/^The copy has \d+(\.\d)?M, and --max-target-size is 30\.0M\.$/) },
    });
    expect(code).toBe(6);
    expect(
      await sql(urlOf(server("target"), "postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [target.name]),
    ).toEqual([{ datname: target.name }]);
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
  });

  test.each(["20", "20MiB", "-1MB", "much"])("%j is no size: exit 2, and how to write one", async (size) => {
    const { code, stderr } = await runBetween({ url: "postgresql:///x" }, { url: "postgresql:///y" }, [`--max-target-size=${size}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/is not a size[^]*500kB, 50MB/);
  });
});
