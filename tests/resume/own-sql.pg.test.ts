import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { databasesOf, jsonLines, runBetween } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { type Folder, folderOf } from "../support/files.ts";
import { journaled, killedWhen, type Left, resume, SLOW_ONCE } from "../support/resume.ts";
import { server, urlOf } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";

// What own SQL does is done once, whenever a run dies: each file adds a row to a table of effects.

const TABLES = `${SLOW_ONCE} CREATE TABLE done (id int PRIMARY KEY); INSERT INTO done SELECT generate_series(1, 100);
  CREATE TABLE slow (id int CHECK (slow_once(id, 0.02))); INSERT INTO slow SELECT generate_series(1, 200);`;
/** Sleeps in a staging database as long as a session of this name is open: also in a run that begins anew. */
const gate = (name: string): string =>
  `SELECT pg_catalog.pg_sleep(60)::text AS slept FROM pg_catalog.pg_stat_activity WHERE application_name = '${name}'`;

async function openGate(name: string): Promise<AsyncDisposable> {
  const session = await openSession(urlOf(server("target"), "postgres"));
  await session.query(`SET application_name = '${name}'`);
  return session;
}

const FILES = {
  "before.sql": "CREATE TABLE effects (what text); INSERT INTO effects VALUES ('before')",
  "schema.sql": "INSERT INTO effects VALUES ('after-schema' || :'x')",
  "alone.sql": "-- pgditto: no-transaction\nINSERT INTO effects VALUES ('alone')",
  "data.sql": "INSERT INTO effects VALUES ('after-data'); UPDATE done SET id = -id",
  "after.sql": "INSERT INTO effects VALUES ('after')",
};
const EARLY = ["--sql", "before=before.sql", "--sql", "after-schema=schema.sql", "--set", "x=1"];
const ALL = [...EARLY, "--sql", "after-data=data.sql", "--sql", "after=after.sql"];

const effects = async (on: { url: string }): Promise<unknown[]> =>
  (await sql(on.url, "SELECT what FROM effects ORDER BY 1")).map(({ what }) => what);
const oneIsDone = async (staging: Left): Promise<boolean> => (await journaled(staging, "copies")) === 1;
const sleepsIn =
  (pattern: string) =>
  async (staging: Left): Promise<boolean> =>
    (
      await sql(staging.url, "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query ~ $1", [
        pattern,
      ])
    ).length > 0;
const at = (folder: Folder): { cwd: string } => ({ cwd: folder.path });

test("killed while rows come: what ran before them stays, and does not run again", async () => {
  await using source = await freshDatabase("source", { sql: TABLES });
  await using target = reservedDatabase("target");
  await using folder = await folderOf(FILES);
  const args = [...ALL, "--sql", "after-schema=alone.sql"];
  const left = await killedWhen(source, target, oneIsDone, { args, ...at(folder) });
  expect(await effects(left)).toEqual(["after-schema1", "alone", "before"]);
  const { code, told, stdout } = await resume(source, target, args, at(folder));
  expect(code, stdout).toBe(0);
  expect(told).toMatch(/^Going on with run .*: of the 2 copies of this plan, 1 /);
  expect(await effects(target)).toEqual(["after", "after-data", "after-schema1", "alone", "before"]);
  expect(await target.sql("SELECT max(id) AS id FROM done")).toEqual([{ id: -1 }]);
});

test.each([
  ["another value", ALL.map((arg) => (arg === "x=1" ? "x=2" : arg))],
  ["a file less", EARLY.slice(2)],
])("%s before the rows: refused; it could not be undone", async (_what, args) => {
  await using source = await freshDatabase("source", { sql: TABLES });
  await using target = reservedDatabase("target");
  await using folder = await folderOf(FILES);
  await killedWhen(source, target, oneIsDone, { args: ALL, ...at(folder) });
  const { code, events } = await resume(source, target, args, at(folder));
  expect(code).toBe(6);
  const message = expect.stringContaining("it was made with other SQL of the stages before and after-schema, or other values of --set");
  expect(events.at(-1)).toMatchObject({ error: { code: "not-resumable", message } });
});

test("killed when after-data is committed: the rows could not be compared any more, so it begins anew, and says so", async () => {
  await using target = reservedDatabase("target");
  await using source = await freshDatabase("source", {
    sql: `CREATE TABLE done (id int PRIMARY KEY); INSERT INTO done SELECT generate_series(1, 100); CREATE MATERIALIZED VIEW zz_last AS ${gate(target.name)}`,
  });
  await using folder = await folderOf(FILES);
  const left = await (async () => {
    await using _gate = await openGate(target.name);
    return await killedWhen(source, target, sleepsIn("REFRESH"), { args: ALL, ...at(folder) });
  })();
  const { code, told, stdout } = await resume(source, target, ALL, at(folder));
  expect(code, stdout).toBe(0);
  expect(told).toMatch(/cannot be gone on with: own SQL of the stage after-data has been at work on the rows\. This is a new run\.$/);
  expect(await effects(target)).toEqual(["after", "after-data", "after-schema1", "before"]);
  expect(await databasesOf(target.name)).not.toContain(left.name);
});

test("killed within after-data: nothing of it was committed, and the run goes on", async () => {
  await using source = await freshDatabase("source", { sql: TABLES.replace("0.02", "0") });
  await using target = reservedDatabase("target");
  await using folder = await folderOf({ ...FILES, "data.sql": `${FILES["data.sql"]}; SELECT slow_once(1, 60)` });
  await killedWhen(source, target, sleepsIn("slow_once\\(1, 60"), { args: ALL, ...at(folder) });
  const { code, told, stdout } = await resume(source, target, ALL, at(folder));
  expect(code, stdout).toBe(0);
  expect(told).toMatch(/of the 2 copies of this plan, 2 /);
  expect(await effects(target)).toEqual(["after", "after-data", "after-schema1", "before"]);
});

test("killed within a file without a transaction: nobody knows how far it came, so it begins anew, and says so", async () => {
  await using source = await freshDatabase("source", { sql: TABLES.replace("0.02", "0") });
  await using target = reservedDatabase("target");
  await using folder = await folderOf({ ...FILES, "alone.sql": `${FILES["alone.sql"]}; ${gate(target.name)}` });
  const args = [...EARLY, "--sql", "after-schema=alone.sql"];
  const left = await (async () => {
    await using _gate = await openGate(target.name);
    return await killedWhen(source, target, sleepsIn("pg_sleep.60"), { args, ...at(folder) });
  })();
  expect(await effects(left)).toEqual(["after-schema1", "alone", "before"]);
  const { code, told, stdout } = await resume(source, target, args, at(folder));
  expect(code, stdout).toBe(0);
  expect(told).toMatch(/own SQL that is not one transaction had begun, and may have done a part of its work\. This is a new run\.$/);
  expect(await effects(target)).toEqual(["after-schema1", "alone", "before"]);
});

test("a mistake in after-data, with --keep-staging: the file is mended, and the run goes on with all rows", async () => {
  await using source = await freshDatabase("source", { sql: TABLES.replace("0.02", "0") });
  await using target = reservedDatabase("target");
  await using folder = await folderOf({ ...FILES, "data.sql": `${FILES["data.sql"]}; SELECT nope()` });
  const failed = await runBetween(source, target, [...ALL, "--keep-staging", "--json"], at(folder));
  expect(failed.code, failed.stdout).toBe(7);
  expect(jsonLines(failed.stdout).at(-1)).toMatchObject({
    error: { code: "sql", object: "data.sql:1", hint: expect.stringContaining("--resume") },
  });
  await writeFile(folder.at("data.sql"), FILES["data.sql"]);
  const { code, told, stdout } = await resume(source, target, ALL, at(folder));
  expect(code, stdout).toBe(0);
  expect(told).toMatch(/Going on with run/);
  expect(await effects(target)).toEqual(["after", "after-data", "after-schema1", "before"]);
});
