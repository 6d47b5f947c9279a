import { describe, expect, test } from "vitest";
import { plan, type RunOptions, type SyncEvent } from "../../src/index.ts";
import { changeAtOnce } from "../support/at-once.ts";
import { freshDatabase, type FreshDatabase, freshShop, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copy, databasesLike, expectSame, warningCodes } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { dropTestRoles, fillRolesAndGrants } from "../support/roles.ts";
import { server, urlOf } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";

const template = { strategy: "template" } as const;
const admin = (): string => urlOf(server("source"), "postgres");

/** Does something at the moment when every session of the run has left the source, and before its files are copied. */
const between = (action: () => void): Pick<RunOptions, "onEvent"> => ({
  onEvent: (event: SyncEvent) => {
    if (event.type === "stage:started" && event.stage === "template") action();
  },
});

const failureOf = async (source: FreshDatabase, target: FreshDatabase, options: RunOptions = {}): Promise<unknown> =>
  copy(source, target, { yes: true, ...template, ...options }).then(
    () => undefined,
    (error: unknown) => error,
  );

/** An obstacle of this code, and no other. */
const refusedWith = (code: string, message: RegExp) => ({
  code: "preflight",
  exitCode: 6,
  obstacles: [expect.objectContaining({ code, message: expect.stringMatching(message) as string })],
});

describe("--strategy template copies the source's files", () => {
  test("the shop arrives identical, with owners, privileges, settings, comment and connection limit; and again over the copy", async () => {
    const prefix = uniqueName("pgditto_test");
    try {
      await using source = await freshShop("source");
      await fillRolesAndGrants(source.sql, prefix);
      await source.sql("SELECT setval('public.never_called', 41); CREATE MATERIALIZED VIEW public.not_yet AS SELECT 1 AS i WITH NO DATA");
      await using target = reservedDatabase("source");
      const { result, events } = await copy(source, target, template);
      await expectSame(source, target);
      expect(warningCodes(events)).toEqual([]);
      expect(result.tables.find((table) => table.schema === "archive" && table.name === "orders")?.rows).toBe(100);
      expect(result.rows).toBeGreaterThan(5000);
      expect(events).toContainEqual(expect.objectContaining({ type: "run:started", strategy: "template" }));
      expect(events).toContainEqual(expect.objectContaining({ type: "verify:done", rows: result.rows, differences: [] }));
      expect(events.filter(({ type }) => type === "task:done").every((event) => "kind" in event && event.kind === "count")).toBe(true);
      await source.sql("DELETE FROM archive.orders WHERE ctid = (SELECT min(ctid) FROM archive.orders)");
      await copy(source, target, { ...template, keepPrevious: true });
      await expectSame(source, target);
      expect(await databasesLike(target)).toEqual([target.name, `${target.name}_previous`]);
    } finally {
      await dropTestRoles((text) => sql(admin(), text), prefix);
    }
  });

  test("materialized views hold what they held, unlogged tables their rows, and an INVALID index stays one", async () => {
    await using source = await freshDatabase("source", {
      sql: `CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 10) n; CREATE MATERIALIZED VIEW old AS SELECT count(*) AS n FROM t; INSERT INTO t VALUES (11);
        CREATE UNLOGGED TABLE u AS SELECT 1 AS i; CREATE INDEX broken ON t (i); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;`,
    });
    await using target = reservedDatabase("source");
    const { events } = await copy(source, target, template);
    expect(warningCodes(events)).toEqual([]);
    expect(
      await target.sql("SELECT (SELECT n FROM old)::int AS n, (SELECT count(*) FROM t)::int AS t, (SELECT count(*) FROM u)::int AS u"),
    ).toEqual([{ n: 10, t: 11, u: 1 }]);
    expect(await target.sql("SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'broken'::regclass")).toEqual([{ valid: false }]);
  });

  test("an empty database; one above the size from which files are copied; --mode recreate", async () => {
    await using source = await freshDatabase("source");
    await using target = reservedDatabase("source");
    await copy(source, target, template);
    await expectSame(source, target);
    await source.sql("CREATE TABLE large AS SELECT n, repeat('x', 2000) AS x FROM generate_series(1, 35000) n");
    const { events } = await copy(source, target, { ...template, mode: "recreate" });
    await expectSame(source, target);
    expect(events).toContainEqual(
      expect.objectContaining({ code: "strategy-template", message: expect.stringContaining("FILE_COPY") as string }),
    );
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("subscriptions stay behind, and the warning names them", async () => {
    await using source = await freshDatabase("source", {
      sql: `CREATE SUBSCRIPTION "Sub" CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)`,
    });
    await using target = reservedDatabase("source");
    try {
      const { events } = await copy(source, target, template);
      expect(warningCodes(events)).toEqual(["subscriptions-left"]);
      expect(events).toContainEqual(
        expect.objectContaining({ code: "subscriptions-left", message: expect.stringContaining("Sub") as string }),
      );
      expect(
        await target.sql(
          "SELECT count(*)::int AS n FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()",
        ),
      ).toEqual([{ n: 0 }]);
    } finally {
      await source.sql('DROP SUBSCRIPTION "Sub"');
    }
  });

  test("a role that owns the source and is no superuser copies what it could not create: others' tables, event triggers", async () => {
    const role = uniqueName("pgditto_test");
    await sql(admin(), `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'm'`);
    try {
      await using source = await freshDatabase("source", {
        sql: `CREATE TABLE theirs AS SELECT 1 AS i; GRANT SELECT ON theirs TO ${role}; CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
          CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f();`,
      });
      await using target = reservedDatabase("source");
      const as = ({ url }: FreshDatabase): { url: string } => {
        const other = new URL(url);
        [other.username, other.password] = [role, "m"];
        return { url: other.href };
      };
      const failure = await copy(as(source), as(target), template).catch((error: unknown) => error);
      expect(failure).toMatchObject(refusedWith("template-not-owner", new RegExp(`${role} may not copy the database ${source.name}`)));
      await sql(admin(), `ALTER DATABASE ${source.name} OWNER TO ${role}`);
      await copy(as(source), as(target), template);
      await expectSame(source, target);
      await target[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    } finally {
      await sql(admin(), `DROP ROLE ${role}`);
    }
  });
});

describe("--strategy template is refused, and nothing is touched", () => {
  test("while somebody is in the source: exit 6, and names who; plan tells of it, and of the rest", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t (i int)" });
    await using target = await freshDatabase("source", { sql: "CREATE TABLE old AS SELECT 1 AS i" });
    await using session = await openSession(source.url);
    const { rows } = await session.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const refusal = refusedWith("template-sessions", new RegExp(`1 session .*${source.name}.*backend ${rows[0]?.pid}: role \\w+, test`));
    expect(await failureOf(source, target)).toMatchObject(refusal);
    const made = await plan({ source: source.url, target: target.url, ...template });
    expect(made).toMatchObject({ obstacles: refusal.obstacles, tables: [{ table: "public.t" }], template: { sessions: 1 } });
    expect(await target.sql("SELECT i FROM old")).toEqual([{ i: 1 }]);
    expect(await databasesLike(target)).toEqual([target.name]);
    // the fix is a command that works
    await sql(admin(), /SELECT [^;]*/.exec(made.obstacles[0]?.fix ?? "")?.[0] ?? "");
    expect(await failureOf(source, target)).toBeUndefined();
  });

  test("with a prepared transaction in the source", async () => {
    const gid = uniqueName();
    await using source = await freshDatabase("source", { sql: `BEGIN; CREATE TABLE t (i int); PREPARE TRANSACTION '${gid}'` });
    await using target = reservedDatabase("source");
    expect(await failureOf(source, target)).toMatchObject(refusedWith("template-prepared", new RegExp(gid)));
    await source.sql(`ROLLBACK PREPARED '${gid}'`);
  });

  test("between two servers", async () => {
    await using source = await freshDatabase("source");
    await using target = reservedDatabase("target");
    expect(await failureOf(source, target)).toMatchObject(refusedWith("template-other-server", /one server/));
  });
});

describe("who comes in between", () => {
  const SOURCE = "CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 10) n; CREATE TABLE other (i int);";

  test.each([
    ["a row", "INSERT INTO t VALUES (11)", { kind: "rows", object: "public.t", source: "10 rows", target: "11 rows" }],
    ["a value", "UPDATE t SET i = 99 WHERE i = 7", { kind: "checksum", object: "public.t" }],
    ["an index", "CREATE INDEX more ON t (i)", { kind: "index", object: "public.more", source: "missing" }],
    ["the end of a table", "DROP TABLE other", { kind: "table", object: "public.other", target: "missing" }],
  ])("%s that was written between count and copy is found: exit 3, the target as it was", async (_, change, difference) => {
    await using source = await freshDatabase("source", { sql: SOURCE });
    await using target = await freshDatabase("source", { sql: "CREATE TABLE old AS SELECT 1 AS i" });
    const before = await contents(target.url);
    const failure = await failureOf(source, target, {
      ...between(() => changeAtOnce(source.url, change)),
      verify: difference.kind === "checksum" ? "checksum" : "counts",
    });
    expect(failure).toMatchObject({
      code: "verify",
      exitCode: 3,
      differences: expect.arrayContaining([expect.objectContaining(difference)]),
      hint: expect.stringMatching(/^Somebody wrote to the source between/),
    });
    expect(await contents(target.url)).toEqual(before);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("somebody stays: the error names them after the last attempt; nothing is left, and the target is as it was", async () => {
    const gid = uniqueName();
    await using source = await freshDatabase("source", { sql: SOURCE });
    await using target = await freshDatabase("source", { sql: "CREATE TABLE old AS SELECT 1 AS i" });
    const block = (): void => changeAtOnce(source.url, `BEGIN; CREATE TABLE pending (); PREPARE TRANSACTION '${gid}'`);
    try {
      expect(await failureOf(source, target, { ...between(block), retryCount: 1 })).toMatchObject({
        code: "schema",
        exitCode: 1,
        sqlstate: "55006",
        detail: expect.stringContaining(gid),
        hint: expect.stringContaining("--strategy copy"),
      });
      expect(await target.sql("SELECT i FROM old")).toEqual([{ i: 1 }]);
      expect(await databasesLike(target)).toEqual([target.name]);
    } finally {
      await source.sql(`ROLLBACK PREPARED '${gid}'`);
    }
  });

  test("somebody goes again: another attempt succeeds", async () => {
    const gid = uniqueName();
    await using source = await freshDatabase("source", { sql: SOURCE });
    await using target = reservedDatabase("source");
    const { events } = await copy(source, target, {
      ...template,
      onEvent: (event) => {
        if (event.type === "stage:started" && event.stage === "template")
          changeAtOnce(source.url, `BEGIN; CREATE TABLE pending (); PREPARE TRANSACTION '${gid}'`);
        if (event.type === "message" && event.code === "template-busy") changeAtOnce(source.url, `ROLLBACK PREPARED '${gid}'`);
      },
    });
    expect(events.filter((event) => event.type === "message" && event.code === "template-busy")).toHaveLength(1);
    await expectSame(source, target);
  });
});

test("plan offers it where it is possible, and only there", async () => {
  await using source = await freshShop("source");
  await using here = reservedDatabase("source");
  await using there = reservedDatabase("target");
  const offer = async (target: FreshDatabase, options: RunOptions = {}): Promise<unknown> =>
    (await plan({ source: source.url, target: target.url, ...options })).template;
  expect(await offer(here)).toMatchObject({ sessions: 0, bytes: expect.any(Number), estimatedMs: expect.any(Number) });
  expect(await offer(here, { excludeTables: ["orders"] })).toBeUndefined();
  expect(await offer(here, { noAcl: true })).toBeUndefined();
  expect(await offer(there)).toBeUndefined();
});
