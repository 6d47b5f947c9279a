import { expect, test } from "vitest";
import { databasesOf, runBetween, SLOW } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { journaled, killedWhen, type Left, resume, SLOW_ONCE } from "../support/resume.ts";
import { sql } from "../support/sql.ts";

const TABLES = `${SLOW_ONCE} CREATE TABLE done (id int PRIMARY KEY); INSERT INTO done SELECT generate_series(1, 100);
  CREATE TABLE slow (id int CHECK (slow_once(id, 0.02))); INSERT INTO slow SELECT generate_series(1, 200);`;

const oneIsDone = async (staging: { url: string; name: string }): Promise<boolean> => (await journaled(staging, "copies")) === 1;

test("nothing to go on with: it is said, and a new run begins", async () => {
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t (i int); INSERT INTO t VALUES (1)" });
  await using target = reservedDatabase("target");
  const { code, told } = await resume(source, target);
  expect(code).toBe(0);
  expect(told).toBe("There is nothing to go on with (--resume): this is a new run.");
  await expectSame(source, target);
});

test("another source, other options: refused with the reason, the live target and what was done stay, and without --resume it starts anew", async () => {
  await using source = await freshDatabase("source", { sql: TABLES });
  await using other = await freshDatabase("source", { sql: TABLES });
  await using target = await freshDatabase("target", { sql: "CREATE TABLE precious (i int); INSERT INTO precious VALUES (7)" });
  const left = await killedWhen(source, target, oneIsDone, { args: ["--yes"] });
  for (const [from, args, reason] of [
    [other, [], /^--resume cannot go on with .*: it was made from another source\.$/],
    [source, ["--no-acl", "-T", "done"], /: it was made with other values of --exclude-table, --no-acl\.$/],
  ] as const) {
    const { code, events } = await resume(from, target, ["--yes", ...args]);
    expect(code).toBe(6);
    expect(events.at(-1)).toMatchObject({
      type: "run:failed",
      error: { code: "not-resumable", object: left.name, message: expect.stringMatching(reason) },
    });
  }
  await sql(
    left.url,
    `UPDATE pgditto_${left.name.slice(-10)}.run SET facts = regexp_replace(facts, '"version":"[^"]*"', '"version":"0.0.9"')`,
  );
  const older = await resume(source, target, ["--yes"]);
  expect([older.code, older.events.at(-1)]).toMatchObject([
    6,
    { error: { message: expect.stringMatching(/it was made by pgditto 0\.0\.9, and this is /) } },
  ]);
  expect(await databasesOf(target.name)).toEqual([target.name, left.name]);
  expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 7 }]);

  expect((await runBetween(source, target, ["--yes"])).code).toBe(0);
  expect(await databasesOf(target.name)).toEqual([target.name]);
  await expectSame(source, target);
});

test.each([
  ["a column more", "ALTER TABLE done ADD COLUMN note text DEFAULT 'x'"],
  ["a table less", "DROP TABLE done"],
  [
    "another function",
    "CREATE OR REPLACE FUNCTION slow_once(anyelement, seconds float8) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT true'",
  ],
])("the schema has changed in what was made (%s): it is said, and a new run begins", async (_what, change) => {
  await using source = await freshDatabase("source", { sql: TABLES });
  await using target = reservedDatabase("target");
  await killedWhen(source, target, oneIsDone);
  await source.sql(change);
  const { code, told } = await resume(source, target);
  expect(told).toMatch(/^The source's schema has changed since run \w{10}: [12] of the statements/);
  expect(code).toBe(0);
  expect(await databasesOf(target.name)).toEqual([target.name]);
  await expectSame(source, target);
});

test("what is only new on the source comes too: a table, an index, a foreign key, a large object, a role's grant", async () => {
  await using source = await freshDatabase("source", {
    sql: `${TABLES} SELECT lo_from_bytea(4711, 'old'); SELECT lo_from_bytea(4712, 'gone')`,
  });
  await using target = reservedDatabase("target");
  await killedWhen(source, target, oneIsDone);
  await source.sql(`CREATE TABLE new (id int REFERENCES done); INSERT INTO new VALUES (5); CREATE INDEX ON slow (id); CREATE UNIQUE INDEX ON slow (id);
    SELECT lo_from_bytea(4713, 'new'); SELECT lo_unlink(4712); SELECT lo_put(4711, 0, 'now'); GRANT SELECT ON done TO PUBLIC`);
  const { code, told } = await resume(source, target);
  expect(told).toMatch(/of the 3 copies of this plan, 1 /);
  expect(code).toBe(0);
  await expectSame(source, target);
});

test("a run with --resume that dies too is gone on with again", async () => {
  await using source = await freshDatabase("source", {
    sql: `${SLOW} CREATE TABLE done (id int PRIMARY KEY); INSERT INTO done SELECT generate_series(1, 100); CREATE TABLE later AS TABLE done;
      CREATE TABLE slow (id int CHECK (slow(id, 0.02))); INSERT INTO slow SELECT generate_series(1, 200)`,
  });
  await using target = reservedDatabase("target");
  const left = await killedWhen(source, target, async (staging) => (await journaled(staging, "copies")) === 2);
  await source.sql("UPDATE done SET id = 1000 WHERE id = 1");
  const again = await killedWhen(source, target, isCopyingAgain, { args: ["--resume"] });
  expect(again.name, "the first one's staging database").toBe(left.name);
  expect(await journaled(again, "copies")).toBe(2);
  await source.sql("UPDATE later SET id = 1000 WHERE id = 1");
  const { code, told } = await resume(source, target);
  expect(told).toMatch(/ 1 \(.*Copied again: public\.later: rows were written since\.$/);
  expect(code).toBe(0);
  await expectSame(source, target);
});

/** By a run that did not make the staging database, which has brought in what it could. */
async function isCopyingAgain(staging: Left): Promise<boolean> {
  const rows = await sql(
    staging.url,
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^pgditto ' AND application_name !~ $1 AND query ~ 'COPY.*slow'",
    [staging.name.slice(-10)],
  );
  return rows.length > 0 && (await journaled(staging, "copies")) === 2;
}

test("--resume and --strategy template contradict each other", async () => {
  const result = await runBetween({ url: "postgresql://127.0.0.1:1/a" }, { url: `postgresql://127.0.0.1:1/${uniqueName()}` }, [
    "--resume",
    "--strategy",
    "template",
  ]);
  expect(result.code).toBe(2);
  expect(result.stderr).toMatch(/--strategy template and --resume contradict each other/);
});
