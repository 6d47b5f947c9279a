import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SyncEvent } from "../../src/index.ts";
import { changeAtOnce } from "../support/at-once.ts";
import { freshDatabase, type FreshDatabase, reservedDatabase } from "../support/databases.ts";
import { copy, databasesLike, warningCodes } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { startCli } from "../support/run-cli.ts";
import { openSession, sql } from "../support/sql.ts";

const SOURCE = `
  CREATE TABLE t (id int PRIMARY KEY, a text, CONSTRAINT positive CHECK (id > 0)); INSERT INTO t SELECT n, 'x' || n FROM generate_series(1, 100) n; CREATE INDEX by_a ON t (a);
  CREATE TABLE c (id int CONSTRAINT to_t REFERENCES t); INSERT INTO c VALUES (1); CREATE TABLE empty (i int); CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS i;
  CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM t; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
  CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER tr; CREATE POLICY p ON t USING (true); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
  CREATE RULE r AS ON DELETE TO c DO INSTEAD NOTHING; CREATE STATISTICS st ON id, a FROM t; CREATE PUBLICATION pub FOR TABLE t; SELECT lo_from_bytea(7, 'x');`;

let source: FreshDatabase;
let target: FreshDatabase;
let before: Record<string, unknown>;

beforeAll(async () => {
  source = await freshDatabase("source", { sql: SOURCE });
  target = await freshDatabase("target", { sql: "CREATE TABLE old AS SELECT 1 AS i" });
  before = await contents(target.url);
});
afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
});

/** Copies, and changes the staging database at the given moment. */
async function failureOf(change: string, isMoment: (event: SyncEvent) => boolean): Promise<unknown> {
  let staging = "";
  let done = false;
  const onEvent = (event: SyncEvent): void => {
    if (event.type === "staging:created") staging = event.database;
    if (done || !isMoment(event)) return;
    done = true;
    changeAtOnce(target.url.replace(/[^/]*$/, encodeURIComponent(staging)), change);
  };
  const failure: unknown = await copy(source, target, { onEvent, yes: true, jobs: 1 }).catch((error: unknown) => error);
  expect(done).toBe(true);
  return failure;
}

describe("a copy that differs is not swapped in: the target is as it was, staging gone", () => {
  test.each([
    ["an index is gone", "DROP INDEX by_a", { kind: "index", object: "public.by_a", target: "missing" }],
    [
      "a primary key is gone",
      "ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE",
      { kind: "constraint", object: "public.t t_pkey", target: "missing" },
    ],
    [
      "an index is invalid",
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_a'::regclass",
      { kind: "index", object: "public.by_a" },
    ],
    [
      "a constraint is not validated",
      "UPDATE pg_constraint SET convalidated = false WHERE conname = 'positive'",
      { kind: "constraint", target: "NOT VALID" },
    ],
    ["a foreign key is gone", "ALTER TABLE c DROP CONSTRAINT to_t", { kind: "constraint", object: "public.c to_t", target: "missing" }],
    ["a trigger is enabled", "ALTER TABLE t ENABLE TRIGGER tr", { kind: "trigger", source: "disabled", target: "enabled" }],
    ["a materialized view is empty", "REFRESH MATERIALIZED VIEW mv WITH NO DATA", { kind: "materialized view", target: "not populated" }],
    ["row-level security is off", "ALTER TABLE t DISABLE ROW LEVEL SECURITY", { kind: "table", object: "public.t" }],
    [
      "a policy, a rule, statistics, a publication and a function are gone",
      "DROP POLICY p ON t; DROP RULE r ON c; DROP STATISTICS st; DROP PUBLICATION pub; DROP FUNCTION f CASCADE",
      { kind: "function", object: "public.f()" },
    ],
    ["a view is too many", "CREATE VIEW more AS SELECT 1", { kind: "view", source: "missing" }],
    ["a large object is gone", "SELECT lo_unlink(7)", { kind: "large objects" }],
  ])("%s", async (_, change, difference) => {
    const failure = await failureOf(change, (event) => event.type === "phase:started" && event.phase === 4);
    expect(failure).toMatchObject({
      code: "verify",
      exitCode: 3,
      differences: expect.arrayContaining([expect.objectContaining(difference)]),
    });
    expect(await contents(target.url)).toEqual(before);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("a row is gone and one is too many: the tables by schema and name, with both numbers", async () => {
    const failure = await failureOf(
      "DELETE FROM t WHERE id = 50; INSERT INTO other.t VALUES (2)",
      (event) => event.type === "task:started" && event.kind === "count",
    );
    expect(failure).toMatchObject({
      code: "verify",
      differences: [
        { kind: "rows", object: "other.t", source: "1 rows", target: "2 rows" },
        { kind: "rows", object: "public.t", source: "100 rows", target: "99 rows" },
      ],
    });
    expect(await contents(target.url)).toEqual(before);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("an index that is invalid on the source is left out and told of", async () => {
    await using broken = await freshDatabase("source", {
      sql: "CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 10) n; CREATE INDEX left_behind ON t (i); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'left_behind'::regclass; CREATE TABLE p (i int) PARTITION BY LIST (i); CREATE TABLE p1 PARTITION OF p DEFAULT; CREATE INDEX on_top ON ONLY p (i)",
    });
    await using copyOfIt = reservedDatabase("target");
    const { events } = await copy(broken, copyOfIt);
    expect(warningCodes(events)).toEqual(["invalid-index"]);
    expect(
      await copyOfIt.sql(
        "SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index WHERE indexrelid >= 16384 AND indrelid::regclass::text !~ '^pg_'",
      ),
    ).toEqual([{ name: "on_top", valid: false }]);
  });

  test("on the command line: exit 3, and a table of what differs", async () => {
    await using blocked = await freshDatabase("source", {
      sql: "CREATE TABLE t (i int PRIMARY KEY); CREATE SEQUENCE s; INSERT INTO t SELECT generate_series(1, 200000)",
    });
    // Whoever reads the sequence has to wait: that is the last that a run does before it verifies.
    await using session = await openSession(blocked.url);
    await using cli = await startCli(["--source", blocked.url, "--target", target.url, "--yes", "--json"]);
    await cli.waitFor(/"staging:created"/);
    await session.query("BEGIN; ALTER SEQUENCE s RENAME TO s2");
    await cli.waitFor(/"kind":"sequences"/);
    const staging = /"staging:created","database":"([^"]*)"/.exec(cli.stdout)?.[1] ?? "";
    await sql(target.url.replace(/[^/]*$/, staging), "ALTER TABLE t DROP CONSTRAINT t_pkey; CREATE TABLE more (i int)");
    await session.query("ROLLBACK");
    const { code, stdout } = await cli.result;
    expect(code).toBe(3);
    const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    expect(last).toMatchObject({ type: "run:failed", exitCode: 3, error: { code: "verify" } });
    expect(last.differences).toContainEqual({ kind: "constraint", object: "public.t t_pkey", source: "valid", target: "missing" });
    expect(last.differences).toContainEqual({ kind: "table", object: "public.more", source: "missing", target: "there" });
    expect(await contents(target.url)).toEqual(before);
    expect(await databasesLike(target)).toEqual([target.name]);
  });
});
