import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { jsonLines, runBetween } from "../support/cli-run.ts";
import { freshDatabase, uniqueName } from "../support/databases.ts";
import { ownCluster, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** A target of our own, whose log tells every statement: so that "nothing was touched" can be seen. */
let target: Cluster;
beforeAll(async () => {
  target = await ownCluster("target", { settings: { log_statement: "ddl" } });
  await sql(target.url("postgres"), "CREATE DATABASE live");
  await sql(target.url("postgres"), "CREATE ROLE modest LOGIN PASSWORD 'm'");
  await sql(target.url("live"), "CREATE TABLE precious AS SELECT 42 AS i");
});
afterAll(async () => await target?.[Symbol.asyncDispose]());

const as = (role: string, url: string): string => {
  const other = new URL(url);
  [other.username, other.password] = [role, "m"];
  return other.href;
};

/** Runs sync, plan and doctor; none may do anything, and each tells the same. */
async function refused(sourceUrl: string, targetUrl = target.url("live"), args: readonly string[] = ["--yes"]): Promise<string> {
  const databases = () => sql(target.url("postgres"), "SELECT oid, datname FROM pg_database ORDER BY 1");
  const before = { log: await readFile(target.logFile, "utf8"), databases: await databases() };
  const sync = await runBetween({ url: sourceUrl }, { url: targetUrl }, args);
  expect(sync.code).toBe(6);
  expect(sync.stderr).toMatch(/Exit code : 6/);
  expect(sync.stdout).not.toContain("PHASE");
  const doctor = await runBetween({ url: sourceUrl }, { url: targetUrl }, ["doctor", ...args]);
  expect(doctor.code).toBe(6);
  // the list of both is the same; a single obstacle of a sync is also its message
  const listed = doctor.stdout.slice(doctor.stdout.indexOf("  1. "));
  expect(sync.stderr).toContain(listed);
  // not one database came and went: OIDs are handed out in order, and CREATE DATABASE would be in the log
  expect(await databases()).toEqual(before.databases);
  expect((await readFile(target.logFile, "utf8")).slice(before.log.length)).not.toMatch(/statement: +(?:CREATE|ALTER|DROP)/i);
  expect(await sql(target.url("live"), "SELECT i FROM precious")).toEqual([{ i: 42 }]);
  return listed;
}

describe("refused before anything is touched: exit 6, every obstacle with its fix", () => {
  test("tables that may not be read, and rows that row-level security hides: all at once", async () => {
    const role = uniqueName("pgditto_test");
    const admin = urlOf(server("source"), "postgres");
    await sql(admin, `CREATE ROLE ${role} LOGIN PASSWORD 'm'`);
    try {
      await using source = await freshDatabase("source", {
        sql: `CREATE TABLE open (i int); CREATE TABLE closed (i int); CREATE TABLE "Closed too" (i int); CREATE SCHEMA dark; CREATE TABLE dark.t (i int);
          CREATE SEQUENCE secret; CREATE TABLE hidden AS SELECT 1 AS i; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
          GRANT SELECT ON open, hidden TO ${role};`,
      });
      const listed = await refused(as(role, source.url));
      for (const name of ["public.closed", 'public."Closed too"', "dark.t", "public.secret", "public.hidden"])
        expect(listed).toContain(name);
      expect(listed).not.toContain("public.open");
      expect(listed).toMatch(new RegExp(`GRANT SELECT ON [^;]*public\\.closed[^;]* TO ${role};`));
      expect(listed).toMatch(new RegExp(`GRANT USAGE ON SCHEMA dark TO ${role};`));
      expect(listed).toMatch(new RegExp(`GRANT SELECT ON SEQUENCE public\\.secret TO ${role};`));
      expect(listed).toMatch(/row-level security.*public\.hidden[^]*BYPASSRLS/);
      // the fixes are commands that work: run them, and nothing is left to object to
      const fixes = [...listed.matchAll(/Fix: ((?:GRANT|ALTER ROLE)[^;]*;)/g)].map((match) => match[1] ?? "");
      expect(fixes).toHaveLength(4);
      const json = await runBetween({ url: as(role, source.url) }, { url: target.url("live") }, ["--json"]);
      expect(json).toMatchObject({ code: 6, stderr: "" });
      const last = jsonLines(json.stdout).at(-1);
      expect(last).toMatchObject({ type: "run:failed", exitCode: 6, error: { code: "preflight" } });
      expect(last?.["obstacles"]).toHaveLength(listed.match(/^ +\d+\. \[/gm)?.length ?? -1);
      for (const fix of fixes) await source.sql(fix);
      const doctor = await runBetween({ url: as(role, source.url) }, { url: target.url("live") }, ["doctor", "--no-acl"]);
      expect(doctor).toMatchObject({ code: 0, stdout: expect.stringContaining("No obstacles") });
    } finally {
      await sql(admin, `DROP ROLE ${role}`);
    }
  });

  test("a role and an extension that the target lacks, and no CREATEDB: all at once, each with the flag to go on without", async () => {
    const role = uniqueName("Pgditto Test");
    const admin = urlOf(server("source"), "postgres");
    await sql(admin, `CREATE ROLE "${role}"`);
    try {
      await using source = await freshDatabase("source", {
        // an extension that is on no machine: only its row is there
        sql: `CREATE TABLE t (i int); ALTER TABLE t OWNER TO "${role}";
          INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) SELECT 99999, 'nowhere_ext', 10, 2200, false, '1.0'`,
      });
      const listed = await refused(source.url, as("modest", target.url("live")));
      expect(listed).toMatch(new RegExp(`no role "${role}"[^]*CREATE ROLE "${role}";[^]*--no-owner`));
      expect(listed).toMatch(/Extension nowhere_ext[^]*apt-get install postgresql-\d+-nowhere-ext[^]*--skip-extension nowhere_ext/);
      expect(listed).toMatch(/modest may not create databases[^]*ALTER ROLE modest CREATEDB;/);
      expect(listed).toMatch(/modest does not own the target database[^]*ALTER DATABASE "live" OWNER TO modest;/);
    } finally {
      await sql(admin, `DROP ROLE "${role}"`);
    }
  });

  test("source and target are the same database, whatever names lead there", async () => {
    const url = target.url("live");
    for (const other of [url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "[::ffff:127.0.0.1]")]) {
      const { code, stderr } = await runBetween({ url }, { url: other }, ["--yes"]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/same database: live/);
    }
    expect(await sql(url, "SELECT i FROM precious")).toEqual([{ i: 42 }]);
  });

  test("more connections than the server has", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t (i int)" });
    expect(await refused(source.url, undefined, ["--yes", "--jobs", "500"])).toMatch(/needs 503 connections[^]*Lower PG_JOBS/);
  });
});
