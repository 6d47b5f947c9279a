import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Difference, sync, verify } from "../../src/index.ts";
import { changeAtOnce } from "../support/at-once.ts";
import { databasesOf, jsonLines, runBetween } from "../support/cli-run.ts";
import { freshDatabase, type FreshDatabase, freshShop, reservedDatabase, uniqueName } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const SOURCE = `
  CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'one', n numeric); INSERT INTO t SELECT n, 'x' || n, n FROM generate_series(1, 100) n; CREATE INDEX by_a ON t (a);
  CREATE TABLE child (id int PRIMARY KEY, t int CONSTRAINT to_t REFERENCES t); INSERT INTO child VALUES (1, 1);
  CREATE SCHEMA other; CREATE TABLE other.t (i int); CREATE TABLE parent (i int) PARTITION BY LIST (i); CREATE TABLE part PARTITION OF parent DEFAULT; INSERT INTO parent VALUES (1), (2);
  CREATE SEQUENCE counter; SELECT nextval('counter'); CREATE VIEW v AS SELECT t.id, child.t AS other FROM t JOIN child ON child.t = t.id; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g(); COMMENT ON TABLE t IS 'the one';
  CREATE OPERATOR public.+! (LEFTARG = int, RIGHTARG = int, PROCEDURE = int4pl); CREATE OPERATOR public.+! (LEFTARG = text, RIGHTARG = text, PROCEDURE = textcat); SELECT lo_from_bytea(7, 'x');`;

let source: FreshDatabase;
let target: FreshDatabase;

beforeAll(async () => {
  source = await freshDatabase("source", { sql: SOURCE });
  target = reservedDatabase("target");
  await sync({ source: source.url, target: target.url });
});
afterAll(async () => {
  await target?.[Symbol.asyncDispose]();
  await source?.[Symbol.asyncDispose]();
});

/** A copy of the copy, changed. */
async function changed(change: string): Promise<FreshDatabase> {
  return await freshDatabase("target", { template: target.name, sql: change });
}

async function differencesAfter(change: string, args: readonly string[] = []): Promise<Difference[]> {
  await using other = await changed(change);
  const { code, stdout } = await runBetween(source, other, ["verify", "--json", ...args]);
  const [line] = jsonLines(stdout);
  const differences = line?.["differences"] as Difference[];
  expect(line).toMatchObject({ type: "verify", format: 1, equal: differences.length === 0 });
  expect(code).toBe(differences.length === 0 ? 0 : 3);
  return differences;
}

describe("pgditto verify", () => {
  test("exit 0 and a line of what was compared, when the databases are the same; pgditto's mark is no difference", async () => {
    const [mark] = await target.sql(
      "SELECT setconfig::text AS mark FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()",
    );
    expect(mark?.["mark"]).toContain("pgditto.origin");
    await target.sql(`COMMENT ON DATABASE "${target.name}" IS 'a copy'`);
    const { code, stdout, stderr } = await runBetween(source, target, ["verify"]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /Compared: \d+ objects of the schema, 103 rows of 4 tables by checksum, 1 sequence, 1 large object\nThe databases are the same\.\n$/,
    );
    expect(code).toBe(0);
  });

  test.each<[string, string, ReadonlyArray<Partial<Difference>>]>([
    ["a table is missing", "DROP TABLE other.t", [{ kind: "table", object: "other.t", source: "there", target: "missing" }]],
    [
      "an index is too many",
      "CREATE INDEX extra ON t (n)",
      [{ kind: "index", object: "public.extra", source: "missing", target: "there" }],
    ],
    ["an index is missing", "DROP INDEX by_a", [{ kind: "index", object: "public.by_a", target: "missing" }]],
    [
      "an index is invalid",
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_a'::regclass",
      [{ kind: "index", object: "public.by_a", target: "missing" }],
    ],
    [
      "a default is another",
      "ALTER TABLE t ALTER a SET DEFAULT 'two'",
      [{ kind: "table", object: "public.t", source: "a text DEFAULT 'one'::text,", target: "a text DEFAULT 'two'::text," }],
    ],
    ["a foreign key is missing", "ALTER TABLE child DROP CONSTRAINT to_t", [{ kind: "fk constraint", object: "public.child to_t" }]],
    ["a trigger is disabled", "ALTER TABLE t DISABLE TRIGGER tr", [{ kind: "trigger", object: "public.t tr" }]],
    ["a comment is another", "COMMENT ON TABLE t IS 'the other'", [{ kind: "comment", object: "public.TABLE t" }]],
    [
      "a function is another",
      "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
      [{ kind: "function", object: "public.f()" }],
    ],
    ["one of two operators is missing", "DROP OPERATOR +! (text, text)", [{ kind: "operator", object: "public.+!", target: "missing" }]],
    [
      "a privilege is too many",
      "GRANT SELECT ON t TO PUBLIC",
      [{ kind: "acl", object: "public.TABLE t", source: "missing", target: "there" }],
    ],
    [
      "a row is missing",
      "DELETE FROM t WHERE id = 50",
      [
        { kind: "rows", object: "public.t", source: "100 rows", target: "99 rows" },
        { kind: "row", object: "public.t id=50", source: "there", target: "missing" },
      ],
    ],
    [
      "a row is too many, in a partition",
      "INSERT INTO parent VALUES (3)",
      [
        { kind: "rows", object: "public.part" },
        { kind: "row", object: "public.part ctid (0,3)", source: "missing", target: "there" },
      ],
    ],
    [
      "a row is another",
      "UPDATE t SET n = 50.0 WHERE id = 50",
      [
        { kind: "checksum", object: "public.t" },
        { kind: "row", object: "public.t id=50", source: "there", target: "other n" },
      ],
    ],
    ["a sequence is ahead", "SELECT nextval('counter')", [{ kind: "sequence value", object: "public.counter", source: "1", target: "2" }]],
    ["a sequence was not asked", "SELECT setval('counter', 1, false)", [{ kind: "sequence value", source: "1", target: "1 not called" }]],
    ["a large object is another", "SELECT lo_put(7, 0, 'y')", [{ kind: "large object", object: "7" }]],
    ["a large object is missing", "SELECT lo_unlink(7)", [{ kind: "large object", object: "7", source: "there", target: "missing" }]],
    [
      "a column is of another type: the rows are counted",
      "ALTER TABLE child ALTER id TYPE bigint",
      [
        { kind: "table", object: "public.child" },
        { kind: "checksum", object: "public.child", source: "not read", target: "not read" },
      ],
    ],
  ])("%s: exit 3, and it is named", async (_, change, expected) => {
    expect(await differencesAfter(change)).toMatchObject(expected);
  });

  test("the first twenty differences for people, and how many more there are", async () => {
    await using other = await changed(`UPDATE t SET a = a || ' ' WHERE id <= 40; DROP VIEW v; CREATE TABLE new_one (i int)`);
    const { code, stdout } = await runBetween(source, other, ["verify"]);
    expect(code).toBe(3);
    const lines = stdout.split("\n");
    expect(stdout).toContain("The databases differ in 43 places:");
    expect(lines.filter((line) => /^ {2}(view|table|checksum|row) /.test(line))).toHaveLength(20);
    expect(stdout).toMatch(/ {2}view +public\.v +there +missing\n/);
    expect(stdout).toMatch(/ {2}row +public\.t id=\d+ +there +other a\n/);
    expect(stdout).toContain("  … and 23 more (--json lists them)");
  });

  test("--verify counts looks at numbers of rows only; -t, -T, -n and -N choose whose rows", async () => {
    const change = "UPDATE t SET n = 0 WHERE id = 1; INSERT INTO other.t VALUES (1)";
    const objects = async (...args: string[]): Promise<string[]> =>
      (await differencesAfter(change, args)).filter(({ kind }) => kind !== "row").map(({ kind, object }) => `${kind} ${object}`);
    expect(await objects()).toEqual(["rows other.t", "checksum public.t"]);
    expect(await objects("--verify", "counts")).toEqual(["rows other.t"]);
    expect(await objects("-t", "public.t")).toEqual(["checksum public.t"]);
    expect(await objects("-T", "public.t")).toEqual(["rows other.t"]);
    expect(await objects("-n", "public")).toEqual(["checksum public.t"]);
    expect(await objects("-N", "public", "-N", "other")).toEqual([]);
  });

  test("what was copied in part is the same in part, foreign keys into the rest included", async () => {
    await using part = reservedDatabase("target");
    await sync({ source: source.url, target: part.url, tables: ["child", "parent"], noOwner: true, noAcl: true });
    const args = ["verify", "-t", "child", "-t", "parent", "--no-owner", "--no-acl"];
    const { code, stdout } = await runBetween(source, part, args);
    expect([code, stdout]).toEqual([0, expect.stringContaining(" 3 rows of 2 tables by checksum")]);
    expect((await runBetween(source, part, ["verify"])).code).toBe(3);
  });

  test("writes nothing: roles that may read and nothing else are enough", async () => {
    const role = uniqueName("pgditto_test_reader");
    const ends = [source, target];
    try {
      for (const { url, side } of ends) {
        await sql(urlOf(server(side), "postgres"), `CREATE ROLE ${role} LOGIN PASSWORD 'reads' BYPASSRLS`);
        await sql(
          url,
          `REVOKE TEMPORARY, CREATE ON DATABASE "${url.split("/").at(-1)}" FROM PUBLIC; GRANT USAGE ON SCHEMA public, other TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA public, other TO ${role};
           GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role}; GRANT SELECT ON LARGE OBJECT 7 TO ${role}`,
        );
      }
      const before = await Promise.all(ends.map(({ url }) => contents(url)));
      const as = ({ url }: FreshDatabase): { url: string } => ({ url: url.replace(/\/\/[^@]*@/, `//${role}:reads@`) });
      const { code, stdout } = await runBetween(as(source), as(target), ["verify"]);
      expect([code, stdout]).toEqual([0, expect.stringContaining("The databases are the same.")]);
      expect(await Promise.all(ends.map(({ url }) => contents(url)))).toEqual(before);
      expect(await databasesOf(target.name)).toEqual([target.name]);
    } finally {
      for (const { url, side } of ends) {
        await sql(url, `DROP OWNED BY ${role}`).catch(() => undefined);
        await sql(urlOf(server(side), "postgres"), `DROP ROLE IF EXISTS ${role}`);
      }
    }
  });

  test("exit 4 and 5 for the side that cannot be reached, 2 for what it does not take", async () => {
    await using nowhere = reservedDatabase("target");
    expect((await runBetween(source, nowhere, ["verify"])).code).toBe(5);
    expect((await runBetween(nowhere, target, ["verify"])).code).toBe(4);
    for (const args of [["--mode", "recreate"], ["--verify", "all"], ["--yes"], ["-t", "nothing"]]) {
      expect([args, (await runBetween(source, target, ["verify", ...args])).code]).toEqual([args, 2]);
    }
  });

  test("reads one moment on either side, however busy both are", async () => {
    await using other = await changed("");
    await using live = await freshDatabase("source", { sql: SOURCE });
    let stop = false;
    const busy = [live, other].map(async ({ url }) => {
      for (let n = 0; !stop; n += 1)
        await sql(url, `INSERT INTO t VALUES (1000 + ${n}); DELETE FROM t WHERE id = 1000 + ${n}; UPDATE t SET a = a || '' WHERE id < 50`);
    });
    try {
      const result = await verify({ source: live.url, target: other.url });
      expect(result.differences.filter(({ kind }) => kind !== "sequence value")).toEqual([]);
    } finally {
      stop = true;
      await Promise.all(busy);
    }
  });
});

test("connections that are lost are opened again, in the same snapshots", async () => {
  await using other = await changed("");
  let done = false;
  const retried: string[] = [];
  const result = await verify({
    source: source.url,
    target: other.url,
    onEvent: (event) => {
      if (event.type === "task:retry") retried.push(event.kind);
      if (done || event.type !== "task:started") return;
      done = true;
      for (const { side, name } of [source, other]) {
        const workers = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND application_name ~ ' worker '`;
        changeAtOnce(urlOf(server(side), "postgres"), workers);
      }
    },
  });
  expect(retried).toEqual(["count"]);
  expect(result).toMatchObject({ equal: true, rows: 103 });
});

describe("the shop", () => {
  test("is the same after a sync, and after one over it", async () => {
    await using shop = await freshShop("source");
    await using copyOfIt = reservedDatabase("target");
    for (const how of ["counts", "checksum"] as const) {
      await sync({ source: shop.url, target: copyOfIt.url, verify: how });
      const result = await verify({ source: shop.url, target: copyOfIt.url });
      expect(result).toMatchObject({ equal: true, differences: [], verify: "checksum" });
      expect(result.rows).toBeGreaterThan(5000);
    }
  });
});
