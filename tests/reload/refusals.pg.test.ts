import { describe, expect, test } from "vitest";
import type { Obstacle, PgdittoError } from "../../src/errors.ts";
import { doctor, plan } from "../../src/index.ts";
import { jsonLines, runBetween } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copy, schemaText } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { ownAll, salesPair, withPlainRole } from "../support/reload.ts";
import { server, urlOf } from "../support/servers.ts";
import { openSession } from "../support/sql.ts";
import { noTerminal, runInTerminal } from "../support/terminal.ts";

const truncate = { mode: "truncate", yes: true } as const;

interface Named {
  url: string;
}

/** Runs, expects to be refused with exit 6 and to find the target as it was; gives the obstacles. */
async function refused(source: Named, target: Named & { look?: string }, options: object = {}): Promise<readonly Obstacle[]> {
  const look = target.look ?? target.url;
  const before = [await contents(look), await schemaText(look)];
  const error = await copy(source, target, { ...truncate, ...options }).then(
    () => undefined,
    (failure: PgdittoError) => failure,
  );
  expect(error).toMatchObject({ code: "preflight", exitCode: 6 });
  expect([await contents(look), await schemaText(look)]).toEqual(before);
  return error?.obstacles ?? [];
}

const messages = (obstacles: readonly Obstacle[]): string[] => obstacles.map(({ message }) => message);

describe("the structure is compared first", () => {
  test("every difference at once, each with its fix; nothing is touched", async () => {
    await using source = await freshDatabase("source", {
      sql: `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE pair AS (a int, b text);
        CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY, name varchar(20), email text, twice int GENERATED ALWAYS AS (1) STORED, m mood[], p pair);
        CREATE TABLE purchases (id int, what text); CREATE TABLE lost (id int); CREATE TABLE shown (id int)`,
    });
    await using target = await freshDatabase("target", {
      sql: `CREATE TYPE mood AS ENUM ('glad'); CREATE TYPE pair AS (a int, b int);
        CREATE TABLE customers (id int, name varchar(10), emial text, twice int, m mood[], p pair, must int NOT NULL);
        CREATE TABLE orders (id int, what text); CREATE VIEW shown AS SELECT 1 AS id; INSERT INTO customers (id, must) VALUES (1, 1)`,
    });
    const obstacles = await refused(source, target);
    expect(messages(obstacles).toSorted()).toEqual([
      "Column email (text) of public.customers is not on the target.",
      "Column id of public.customers is GENERATED ALWAYS AS IDENTITY on the source and no identity column on the target.",
      "Column must of public.customers is only on the target, NOT NULL, and has no default.",
      "Column name of public.customers is character varying(20) on the source and character varying(10) on the target.",
      "Column twice of public.customers is generated on the source and not generated on the target.",
      "Table public.lost is not on the target.",
      "Table public.purchases is not on the target.",
      "Type public.mood has no 'sad' on the target.",
      "Type public.pair is (a integer, b text) on the source and (a integer, b integer) on the target.",
      "public.shown is a view on the target.",
    ]);
    const fixOf = (message: RegExp): string | undefined => obstacles.find((one) => message.test(one.message))?.fix;
    expect(fixOf(/purchases/)).toMatch(/Is it public\.orders there\?/);
    expect(fixOf(/lost/)).toContain("--exclude-table public.lost");
    expect(fixOf(/email/)).toMatch(/RENAME COLUMN emial TO email/);
    expect(fixOf(/mood/)).toBe("ALTER TYPE public.mood ADD VALUE 'sad';");

    const cli = await runBetween(source, target, ["--mode", "truncate", "--yes"]);
    expect(cli.code).toBe(6);
    expect(cli.stderr).toContain("10 obstacles found. Nothing was touched.");
    const found = await doctor({ source: source.url, target: target.url, ...truncate });
    expect(found.obstacles).toEqual(obstacles);
    expect((await runBetween(source, target, ["plan", "--mode", "truncate"])).code).toBe(6);
  });

  test("what is not selected is not compared", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE b AS SELECT 1 AS id" });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE a (id int)" });
    await copy(source, target, { ...truncate, tables: ["a"] });
    expect(await target.sql("SELECT * FROM a")).toEqual([{ id: 1 }]);
  });

  test("half of a partitioned table whose partitions are others there", async () => {
    const top = "CREATE TABLE logs (at date) PARTITION BY RANGE (at)";
    await using source = await freshDatabase("source", {
      sql: `${top}; CREATE TABLE l1 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); CREATE TABLE l2 PARTITION OF logs DEFAULT`,
    });
    await using target = await freshDatabase("target", { sql: `${top}; CREATE TABLE l1 PARTITION OF logs DEFAULT` });
    expect(messages(await refused(source, target, { tables: ["l1"] }))).toEqual([
      "public.logs has other partitions on the target, so that a part of its rows cannot be replaced alone.",
    ]);
  });
});

describe("rights", () => {
  test("a table of somebody else's that refers to one of ours: told with its owner and the way out", async () => {
    await using pair = await salesPair();
    const { source, target } = pair;
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      await target.sql("ALTER TABLE reports OWNER TO CURRENT_USER; REVOKE ALL ON reports FROM PUBLIC");
      const obstacles = await refused(source, { url: as, look: target.url });
      expect(messages(obstacles).join()).toMatch(
        /Role plain_\w+ does not own public\.reports, which refers to a table that is reloaded, and has to take off its foreign key reports_order_fkey\./,
      );
      expect(obstacles).toHaveLength(1);
      expect(obstacles[0]?.fix).toContain("ALTER TABLE public.reports OWNER TO");
      // nothing refers to these
      await copy(source, { url: as }, { ...truncate, tables: ["parts"] });
    });
  });

  test("what the role could take off and not put back stays on: CREATE for an index, REFERENCES for a key", async () => {
    const tables =
      "CREATE SCHEMA own; CREATE TABLE own.codes (id int PRIMARY KEY); CREATE TABLE own.t (id int REFERENCES own.codes, note text)";
    const index = "CREATE INDEX t_note ON own.t (note)";
    await using source = await freshDatabase("source", {
      sql: [tables, "INSERT INTO own.codes VALUES (1); INSERT INTO own.t VALUES (1, 'x')"],
    });
    await using target = await freshDatabase("target", { sql: [tables, index, "INSERT INTO own.codes VALUES (1)"] });
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      await target.sql(`GRANT USAGE ON SCHEMA own TO ${role}; ALTER TABLE own.t OWNER TO ${role}; GRANT SELECT ON own.codes TO ${role}`);
      const options = { tables: ["own.t"], dropIndexes: true };
      const obstacles = await refused(source, { url: as, look: target.url }, options);
      expect(obstacles.map(({ code }) => code).toSorted()).toEqual(["no-create", "no-references"]);
      for (const { fix } of obstacles) await target.sql(fix);
      await copy(source, { url: as }, { ...truncate, ...options });
      expect(await target.sql("SELECT * FROM own.t")).toEqual([{ id: 1, note: "x" }]);
    });
  });

  test("every missing privilege at once", async () => {
    await using pair = await salesPair({ target: "CREATE SCHEMA closed" });
    const { source, target } = pair;
    await withPlainRole(target, async (role, as) => {
      await target.sql(`GRANT SELECT ON customers TO ${role}; ALTER TABLE seen OWNER TO ${role}; ALTER TABLE seen ENABLE TRIGGER ALL`);
      const obstacles = await refused(source, { url: as, look: target.url });
      const codes = new Set(obstacles.map(({ code }) => code));
      expect(codes).toEqual(new Set(["no-write", "not-owner", "no-create", "no-references", "no-update-sequence"]));
      expect(messages(obstacles)).toContainEqual(expect.stringMatching(/has no INSERT, TRUNCATE on public\.customers of the target/));
      expect(messages(obstacles)).toContainEqual(
        expect.stringMatching(/has no SELECT, INSERT, TRUNCATE on public\.orders, public\.parts_25/),
      );
    });
  });

  test("the source's role may not read one table: it matters only where that is selected", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE secret AS SELECT 1 AS id" });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE a (id int); CREATE TABLE secret (id int)" });
    const role = uniqueName("reader");
    const admin = urlOf(server("source"), "postgres");
    await using session = await openSession(admin);
    await session.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    try {
      await source.sql(`GRANT SELECT ON a TO ${role}`);
      const as = { url: urlOf({ ...server("source"), user: role, password: "secret" }, source.name) };
      expect(messages(await refused(as, target))).toEqual([`Role ${role} may not read public.secret.`]);
      await copy(as, target, { ...truncate, tables: ["public.a"] });
    } finally {
      await source.sql(`DROP OWNED BY ${role}`);
      await session.query(`DROP ROLE ${role}`);
    }
  });
});

describe("whose rows are replaced", () => {
  const SQL = "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 5) g";

  test("asked where there are rows and pgditto did not make the database; a copy of its own is taken without asking", async () => {
    await using source = await freshDatabase("source", { sql: SQL });
    await using target = await freshDatabase("target", { sql: SQL });
    const cli = await runBetween(source, target, ["--mode", "truncate"]);
    expect(cli.code).toBe(6);
    expect(cli.stderr).toMatch(/The rows of 1 table in .* would be replaced, and the database was not made by pgditto[^]*--yes/);
    const json = await runBetween(source, target, ["--mode", "truncate", "--json"]);
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({ type: "run:failed", exitCode: 6, error: { code: "not-confirmed" } });
    await target.sql("TRUNCATE t");
    expect((await runBetween(source, target, ["--mode", "truncate"])).code).toBe(0);
    await using made = reservedDatabase("target");
    expect((await runBetween(source, made)).code).toBe(0);
    await source.sql("INSERT INTO t VALUES (6)");
    expect((await runBetween(source, made, ["--mode", "truncate"])).code).toBe(0);
    expect(await contents(made.url)).toEqual(await contents(source.url));
  });

  test.skipIf(noTerminal)("at a terminal the name is asked for, and what is replaced is said", async () => {
    await using source = await freshDatabase("source", { sql: SQL });
    await using target = await freshDatabase("target", { sql: `${SQL}; UPDATE t SET id = -id` });
    await using terminal = await runInTerminal(["--mode", "truncate"], { MAIN_DB_URL: source.url, ARCHIVE_DB_URL: target.url });
    await terminal.waitFor(/The rows of 1 table in it will be replaced; everything else stays/);
    await terminal.type(target.name, "Enter");
    await terminal.waitFor(/SYNC COMPLETED SUCCESSFULLY/);
    expect(await contents(target.url)).toEqual(await contents(source.url));
  });

  test("no target; the same database; contradicting flags", async () => {
    await using source = await freshDatabase("source", { sql: SQL });
    const nowhere = await runBetween(source, { url: urlOf(server("target"), uniqueName()) }, ["--mode", "truncate", "--yes"]);
    expect(nowhere.code).toBe(5);
    expect(nowhere.stderr).toMatch(/does not exist[^]*--mode truncate replaces rows in tables that are there/);
    const same = await runBetween(source, source, ["--mode", "truncate", "--yes"]);
    expect(same.code).toBe(2);
    expect(same.stderr).toContain("the same database");
    for (const flags of [["--keep-previous"], ["--resume"], ["--atomic", "--drop-indexes"]]) {
      const { code, stderr } = await runBetween(source, source, ["--mode", "truncate", ...flags]);
      expect(code).toBe(2);
      expect(stderr).toContain("contradict each other");
    }
    expect((await runBetween(source, source, ["--atomic"])).stderr).toContain("--atomic without --mode truncate");
  });

  test("plan and doctor tell what is taken off, and take nothing off", async () => {
    await using pair = await salesPair();
    const { source, target } = pair;
    const before = [await contents(target.url), await schemaText(target.url)];
    const { stdout, code } = await runBetween(source, target, ["plan", "--mode", "truncate", "--drop-indexes"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Taken off while rows come in, and put back:\n {2}trigger: public.customers: whatever\n {2}foreign key: .*public.reports: reports_order_fkey\n {2}index: .*orders_total/,
    );
    expect(stdout).not.toContain("Schema: read with");
    expect(stdout).toContain("Replaces: rows of tables that are there");
    const made = await plan({ source: source.url, target: target.url, mode: "truncate", tables: ["parts"] });
    expect(made.takenOff).toEqual([{ kind: "foreign-key", object: "public.parts: parts_order_fkey" }]);
    expect((await runBetween(source, target, ["doctor", "--mode", "truncate"])).stdout).toContain("No obstacles");
    expect([await contents(target.url), await schemaText(target.url)]).toEqual(before);
  });
});
