import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findRunUser } from "../../src/demo/run-user.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copied, copy, expectSame, factsOf } from "../support/fidelity.ts";
import { ownCluster, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const major = Math.min(server("source").major, server("target").major);
const admin = (side: "source" | "target") => urlOf(server(side), "postgres");

describe("encodings", () => {
  test("LATIN1 with names, comments and values beyond ASCII", async () => {
    await using both = await copied({
      options: "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
      sql: `CREATE TABLE "Größe ÿ" ("Maß" text PRIMARY KEY, j jsonb, x xml, c char(3)); INSERT INTO "Größe ÿ" SELECT 'ü' || n, '{"ß": "é"}', '<a>ñ</a>', 'é' FROM generate_series(1, 100) n;
        COMMENT ON TABLE "Größe ÿ" IS 'äöü'; CREATE FUNCTION "fü"() RETURNS text LANGUAGE sql AS $$ SELECT 'ö'::text $$; CREATE TYPE "Ü" AS ENUM ('ä', 'ß'); CREATE TABLE e AS SELECT 'ß'::"Ü" AS e; CREATE SEQUENCE "séq"; SELECT setval('"séq"', 9);
        CREATE INDEX ON "Größe ÿ" ((lower("Maß"))); CREATE VIEW "Öffnung" AS SELECT * FROM "Größe ÿ" WHERE "Maß" <> 'ä'; SELECT lo_from_bytea(77, '\\xfc');`,
    });
    expect(await factsOf(both.target.url)).toMatchObject({ database: { encoding: 8 } });
  });

  test("SQL_ASCII, where bytes mean nothing", async () => {
    await using source = await freshDatabase("source", { options: "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'" });
    // The test's own sessions cannot hold what is no UTF-8: the rows are made and compared on the server.
    await source.sql(`CREATE TABLE t (id int PRIMARY KEY, a text, b bytea); INSERT INTO t SELECT n, convert_from(decode(lpad(to_hex(n), 2, '0') || 'ff5c2e', 'hex'), 'SQL_ASCII'), '\\xff' FROM generate_series(1, 255) n; INSERT INTO t VALUES (256, 'ü', 'x');
      CREATE INDEX ON t (a); CREATE TABLE "tü" (i int)`);
    await using target = reservedDatabase("target");
    await copy(source, target);
    const digest = "SELECT count(*), md5(string_agg(md5(a::bytea) || id, '' ORDER BY id)) AS hash FROM t";
    const bytes = digest.replace("a::bytea", "convert_to(a, 'SQL_ASCII')");
    expect(await target.sql(bytes)).toEqual(await source.sql(bytes));
    expect(await factsOf(target.url)).toEqual(await factsOf(source.url));
  });

  test("EUC_JP, and a name that is no ASCII", async () => {
    // A server of its own: names of roles have no encoding, and pg_dump reads all of them. Other tests' are no EUC_JP.
    await using cluster = await ownCluster("source");
    const [source, target] = [cluster.url("source"), cluster.url("target")];
    await sql(cluster.url("postgres"), "CREATE DATABASE source TEMPLATE template0 ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'");
    await sql(
      source,
      `CREATE TABLE "日本語" ("名前" text PRIMARY KEY, v varchar(3), j json); INSERT INTO "日本語" SELECT '商品' || n, '価格表', '{"名": "値"}' FROM generate_series(1, 100) n; COMMENT ON COLUMN "日本語"."名前" IS '表示'; CREATE VIEW "表" AS SELECT * FROM "日本語" WHERE "名前" <> '\\表ソ';`,
    );
    await copy({ url: source }, { url: target });
    await expectSame({ url: source }, { url: target });
  });

  test("bytes that are no character of the database's encoding are an error that names the table, and nothing is swapped", async () => {
    await using source = await freshDatabase("source", { options: "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'" });
    await source.sql(
      `DO $$ BEGIN EXECUTE convert_from('\\x435245415445205441424c45207420286120746578742044454641554c542027ff2729'::bytea, 'SQL_ASCII'); END $$`,
    );
    await using target = reservedDatabase("target");
    const failure = await copy(source, target).then(
      () => undefined,
      (error: unknown) => error,
    );
    // Either it arrives as it is, or it is refused by name; never silently changed.
    const bytes = "SELECT encode(convert_to(pg_get_expr(adbin, adrelid), 'SQL_ASCII'), 'hex') AS hex FROM pg_attrdef";
    if (failure === undefined) expect(await target.sql(bytes)).toEqual(await source.sql(bytes));
    else expect(failure).toMatchObject({ code: "dump" });
  });
});

describe("locales", () => {
  test.each([
    ["C", "LC_COLLATE 'C' LC_CTYPE 'C'"],
    ["C.UTF-8 for characters only", "LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"],
    ["POSIX", "LC_COLLATE 'POSIX' LC_CTYPE 'POSIX'"],
  ])("%s", async (_, options) => {
    await using both = await copied({
      options: `ENCODING 'UTF8' ${options}`,
      sql: "CREATE TABLE t AS SELECT chr(n) AS c FROM generate_series(33, 1000) n; CREATE INDEX ON t (c); CREATE INDEX ON t (upper(c))",
    });
    expect(await both.target.sql("SELECT string_agg(c, '' ORDER BY c) AS s FROM t")).toEqual(
      await both.source.sql("SELECT string_agg(c, '' ORDER BY c) AS s FROM t"),
    );
  });

  test.runIf(major >= 15)("ICU, with rules where there are such", async () => {
    const [icu] = await sql(admin("source"), "SELECT count(*)::int AS n FROM pg_collation WHERE collprovider = 'i'");
    const [there] = await sql(admin("target"), "SELECT count(*)::int AS n FROM pg_collation WHERE collprovider = 'i'");
    if (icu?.["n"] === 0 || there?.["n"] === 0) return;
    await using both = await copied({
      options: `ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true' LC_COLLATE 'C' LC_CTYPE 'C'${major >= 16 ? " ICU_RULES '&a < b'" : ""}`,
      sql: `CREATE COLLATION numeric_order (provider = icu, locale = 'en-u-kn-true'); CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE t (a text COLLATE numeric_order PRIMARY KEY, b text COLLATE caseless UNIQUE, c text); INSERT INTO t SELECT 'a' || n, 'B' || n, 'ä' || n FROM generate_series(1, 100) n; CREATE INDEX ON t (c); COMMENT ON COLLATION caseless IS 'ss';`,
    });
    expect(await both.target.sql("SELECT a FROM t WHERE b = 'b77'")).toEqual([{ a: "a77" }]);
  });

  test.runIf(major >= 17)("the built-in provider", async () => {
    await using _ = await copied({
      options: "ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'",
      sql: "CREATE TABLE t AS SELECT upper('ä') AS a",
    });
  });
});

describe("tablespaces", () => {
  const folders: string[] = [];
  const name = `${uniqueName("ts")} "ü`;
  const quoted = `"${name.replaceAll('"', '""')}"`;

  async function createTablespace(side: "source" | "target"): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "tablespace-"));
    folders.push(folder);
    const user = await findRunUser();
    if (user) await chown(folder, user.uid, user.gid);
    await chmod(folder, 0o700);
    await sql(admin(side), `CREATE TABLESPACE ${quoted} LOCATION '${folder}'`);
  }

  beforeAll(async () => {
    await createTablespace("source");
  });
  afterAll(async () => {
    for (const side of ["source", "target"] as const) await sql(admin(side), `DROP TABLESPACE IF EXISTS ${quoted}`);
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  test("are found missing before anything is made, can be left out, and are kept where they are", async () => {
    await using source = await freshDatabase("source", {
      sql: `CREATE TABLE t (id int PRIMARY KEY USING INDEX TABLESPACE ${quoted}, t text) TABLESPACE ${quoted}; INSERT INTO t SELECT n, 'x' FROM generate_series(1, 100) n; CREATE INDEX there ON t (t) TABLESPACE ${quoted}; CREATE INDEX here ON t (t);
      CREATE TABLE plain (i int PRIMARY KEY); CREATE TABLE parts (i int PRIMARY KEY) PARTITION BY LIST (i) TABLESPACE ${quoted}; CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF parts DEFAULT TABLESPACE pg_default; INSERT INTO parts VALUES (1), (2);
      CREATE MATERIALIZED VIEW mv TABLESPACE ${quoted} AS SELECT count(*) FROM t;`,
    });
    await using inTablespace = await freshDatabase("source", { options: `TABLESPACE ${quoted}`, sql: "CREATE TABLE t AS SELECT 1 AS i" });
    await using target = reservedDatabase("target");
    for (const database of [source, inTablespace]) {
      await expect(copy(database, target)).rejects.toMatchObject({
        code: "preflight",
        obstacles: [{ code: "missing-tablespace", side: "target" }],
      });
    }
    await copy(source, target, { noTablespaces: true });
    const places =
      "SELECT c.relname, s.spcname FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1";
    expect(await target.sql(places)).toEqual([]);
    await copy(inTablespace, target, { noTablespaces: true });
    await createTablespace("target");
    await copy(source, target);
    await expectSame(source, target);
    expect(await target.sql(places)).toEqual(await source.sql(places));
    await copy(inTablespace, target);
    expect(
      await target.sql(
        "SELECT spcname FROM pg_database d JOIN pg_tablespace s ON s.oid = d.dattablespace WHERE datname = current_database()",
      ),
    ).toEqual([{ spcname: name }]);
  });
});
