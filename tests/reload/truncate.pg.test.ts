import { describe, expect, test } from "vitest";
import type { PgdittoError } from "../../src/errors.ts";
import { freshDatabase, freshShop } from "../support/databases.ts";
import { copy, schemaText, warningCodes } from "../support/fidelity.ts";
import { contents, sequenceValues, tableChecksums } from "../support/oracle.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";
import { ownAll, salesPair, SOLD_TABLES, soldRows, withPlainRole } from "../support/reload.ts";

const truncate = { mode: "truncate", yes: true } as const;

async function rowsOf(url: string, tables: readonly string[]): Promise<unknown> {
  const all = await tableChecksums(url);
  return Object.fromEntries(tables.map((table) => [table, all[table]]));
}

describe("--mode truncate", () => {
  test("a whole shop has the source's rows again, and its schema has not changed by a letter", async () => {
    await using source = await freshShop("source");
    await using target = await freshShop("target");
    await target.sql("DELETE FROM order_items; UPDATE customers SET email = email || 'x'; CREATE VIEW own AS SELECT 1 AS one");
    const before = await schemaText(target.url);
    const { result } = await copy(source, target, truncate);
    expect(await schemaText(target.url)).toBe(before);
    expect(result.database).toBe(target.name);
    expect(await contents(target.url)).toEqual(await contents(source.url));
  });

  test.each([{}, { dropIndexes: true }, { verify: "checksum" as const, jobs: 1 }])(
    "%j: rows and sequences are the source's, everything else stays; stale views are named",
    async (options) => {
      await using pair = await salesPair();
      const { source, target } = pair;
      const before = await schemaText(target.url);
      const { result, events } = await copy(source, target, { ...truncate, ...options, excludeTables: ["seen"] });
      expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
      expect(await schemaText(target.url)).toBe(before);
      expect(await sequenceValues(target.url)).toEqual(await sequenceValues(source.url));
      // neither the usual trigger nor the one that fires always
      expect(await target.sql("SELECT * FROM seen")).toEqual([]);
      expect(await target.sql("SELECT * FROM reports")).toHaveLength(2);
      expect(await target.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgditto'")).toEqual([]);
      expect(warningCodes(events)).toEqual(["stale-views"]);
      expect(result.warnings.join()).toContain("public.summary");
      const off = events.flatMap((event) => (event.type === "ledger" && event.action === "off" ? [`${event.kind} ${event.object}`] : []));
      expect(off).toContain("foreign-key public.reports: reports_order_fkey");
      expect(off.includes("index public.orders: orders_total")).toBe(options.dropIndexes === true);
      expect(await target.sql("SELECT reltuples::int AS n FROM pg_class WHERE relname = 'orders'")).toEqual([{ n: 2000 }]);
    },
  );

  test("only what was selected: other tables keep their rows, other sequences their values", async () => {
    await using pair = await salesPair();
    const { source, target } = pair;
    await target.sql("SELECT setval('customers_id_seq', 999)");
    const customers = await rowsOf(target.url, ["public.customers"]);
    await copy(source, target, { ...truncate, tables: ["orders", "parts"] });
    expect(await rowsOf(target.url, SOLD_TABLES.slice(1))).toEqual(await rowsOf(source.url, SOLD_TABLES.slice(1)));
    expect(await rowsOf(target.url, ["public.customers"])).toEqual(customers);
    expect(await sequenceValues(target.url)).toMatchObject({ "public.customers_id_seq": "999 true", "public.orders_id_seq": "2000 true" });
  });

  test("a role that is no superuser, only owns the tables: triggers go by name, forced row security too", async () => {
    await using pair = await salesPair();
    const { source, target } = pair;
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      await target.sql(
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY few ON orders USING (id < 3); GRANT SELECT ON orders TO PUBLIC",
      );
      const before = await schemaText(target.url);
      const { events } = await copy(source, { url: as }, { ...truncate, tables: ["customers", "orders", "parts"] });
      expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
      expect(await schemaText(target.url)).toBe(before);
      expect(await target.sql("SELECT * FROM seen")).toEqual([]);
      const kinds = new Set(events.flatMap((event) => (event.type === "ledger" ? [event.kind] : [])));
      expect(kinds).toEqual(new Set(["foreign-key", "trigger", "row-security"]));
    });
  });

  test("rows that break a NOT VALID check of both sides come along, and it is NOT VALID still", async () => {
    const tables = `CREATE TABLE base (n int); CREATE TABLE tree (n int) PARTITION BY RANGE (n); CREATE TABLE leaf PARTITION OF tree DEFAULT`;
    const rows = "INSERT INTO base VALUES (-1); INSERT INTO tree VALUES (1)";
    const checks = `ALTER TABLE base ADD CONSTRAINT above CHECK (n > 0) NO INHERIT NOT VALID; ALTER TABLE tree ADD CONSTRAINT even CHECK (n % 2 = 0) NOT VALID`;
    await using source = await freshDatabase("source", { sql: [tables, rows, checks] });
    await using target = await freshDatabase("target", { sql: [tables, checks, "INSERT INTO base VALUES (5)"] });
    const before = await schemaText(target.url);
    const error = await copy(source, target, { ...truncate, atomic: true }).catch((failure: PgdittoError) => failure);
    expect(error).toMatchObject({ code: "copy", sqlstate: "23514", hint: expect.stringMatching(/^The target is as it was/) as string });
    expect(await target.sql("SELECT * FROM base")).toEqual([{ n: 5 }]);
    await copy(source, target, truncate);
    expect(await tableChecksums(target.url)).toEqual(await tableChecksums(source.url));
    expect(await schemaText(target.url)).toBe(before);
    // it may have a reason where the source has none
    await source.sql("ALTER TABLE base DROP CONSTRAINT above");
    await expect(copy(source, target, truncate)).rejects.toMatchObject({ sqlstate: "23514" });
  });

  test.each([
    ["UNIQUE (code) DEFERRABLE", "23505"],
    ["UNIQUE (code) DEFERRABLE INITIALLY DEFERRED", "23505"],
    ["EXCLUDE (code WITH =) DEFERRABLE", "23P01"],
  ])("%s of the target alone: rows that break it are refused, and triggers still keep quiet", async (key, sqlstate) => {
    const table = "CREATE TABLE t (id int PRIMARY KEY, code int)";
    await using source = await freshDatabase("source", { sql: [table, "INSERT INTO t VALUES (1, 7), (2, 7)"] });
    await using target = await freshDatabase("target", {
      sql: `${table}; ALTER TABLE t ADD CONSTRAINT late ${key}; INSERT INTO t VALUES (9, 9);
        CREATE TABLE seen (what text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (TG_OP); RETURN NULL; END$$;
        CREATE TRIGGER usual AFTER INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION see()`,
    });
    await target.sql("TRUNCATE seen");
    const before = await schemaText(target.url);
    for (const atomic of [false, true]) {
      await source.sql("UPDATE t SET code = 7");
      const error = await copy(source, target, { ...truncate, atomic }).catch((failure: PgdittoError) => failure);
      expect(error).toMatchObject({ sqlstate });
      expect(await target.sql("SELECT * FROM t ORDER BY id")).toHaveLength(atomic ? 2 : 1);
      await source.sql("UPDATE t SET code = id");
      await copy(source, target, { ...truncate, atomic });
      expect(await target.sql("SELECT * FROM t ORDER BY id")).toEqual(await source.sql("SELECT * FROM t ORDER BY id"));
      expect(await target.sql("SELECT * FROM seen")).toEqual([]);
      expect(await schemaText(target.url)).toBe(before);
    }
  });

  test("rows and nothing else: TRUNCATE, INSERT and SELECT are enough where nothing is in the way", async () => {
    const plain = "CREATE TABLE plain AS SELECT g AS id FROM generate_series(1, 10) g";
    await using source = await freshDatabase("source", { sql: plain });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE plain (id int); INSERT INTO plain VALUES (77)" });
    await withPlainRole(target, async (role, as) => {
      await target.sql(`GRANT SELECT, INSERT, TRUNCATE ON plain TO ${role}`);
      await copy(source, { url: as }, truncate);
      expect(await tableChecksums(target.url)).toEqual(await tableChecksums(source.url));
    });
  });

  test("more columns on the target, in another order; labels that only it knows; columns the source generates", async () => {
    await using source = await freshDatabase("source", {
      sql: `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE t (a int, b text, m mood, s int GENERATED ALWAYS AS (a + 1) STORED);
            INSERT INTO t (a, b, m) VALUES (1, 'x', 'sad'), (2, NULL, 'glad')`,
    });
    await using target = await freshDatabase("target", {
      sql: `CREATE TYPE mood AS ENUM ('odd', 'sad', 'glad');
            CREATE TABLE t (noted timestamptz NOT NULL DEFAULT '2026-01-01', m mood, b text, id int GENERATED ALWAYS AS IDENTITY, a int, s int GENERATED ALWAYS AS (a + 1) STORED, remark text);
            INSERT INTO t (a, m) VALUES (9, 'odd')`,
    });
    await copy(source, target, truncate);
    expect(await target.sql("SELECT a, b, m, s, remark, noted::date::text AS noted FROM t ORDER BY a")).toEqual([
      { a: 1, b: "x", m: "sad", s: 2, remark: null, noted: "2026-01-01" },
      { a: 2, b: null, m: "glad", s: 3, remark: null, noted: "2026-01-01" },
    ]);
  });

  test("an extension in another schema there: its types are the same ones", async (context) => {
    for (const side of ["source", "target"] as const) {
      const found = await sql(urlOf(server(side), "postgres"), "SELECT FROM pg_available_extensions WHERE name = 'citext'");
      if (found.length === 0) context.skip();
    }
    const table = "CREATE TABLE t (a app.citext, b app.citext[])";
    await using source = await freshDatabase("source", {
      sql: `CREATE SCHEMA app; CREATE EXTENSION citext SCHEMA app; ${table}; INSERT INTO t VALUES ('X', ARRAY['y', 'Z']::app.citext[])`,
    });
    await using target = await freshDatabase("target", {
      sql: `CREATE SCHEMA "Ext .s"; CREATE EXTENSION citext SCHEMA "Ext .s"; ${table.replaceAll("app", '"Ext .s"')}`,
    });
    await copy(source, target, truncate);
    expect(await target.sql("SELECT a::text, b::text FROM t")).toEqual([{ a: "X", b: "{y,Z}" }]);
  });

  test("other encodings, quotes, spaces, a table without columns", async () => {
    const sql = `CREATE SCHEMA "Odd ""S"; CREATE TABLE "Odd ""S"."T a.b" ("C 'd" text); CREATE TABLE bare ()`;
    await using source = await freshDatabase("source", {
      options: "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
      sql: [sql, `INSERT INTO "Odd ""S"."T a.b" VALUES ('gr' || chr(252) || 'n'); INSERT INTO bare DEFAULT VALUES`],
    });
    await using target = await freshDatabase("target", { sql });
    await copy(source, target, { ...truncate, verify: "checksum" });
    expect(await target.sql(`SELECT * FROM "Odd ""S"."T a.b"`)).toEqual([{ "C 'd": "grün" }]);
    expect(await target.sql("SELECT count(*)::int AS n FROM bare")).toEqual([{ n: 1 }]);
  });
});

describe("partitions", () => {
  const YEARS = `CREATE TABLE logs (at date NOT NULL, note text) PARTITION BY RANGE (at);
    CREATE TABLE logs_25 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE logs_26 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')`;
  const ROWS = "INSERT INTO logs SELECT date '2025-01-01' + g % 700, 'n' || g FROM generate_series(1, 1000) g";
  const sum = "SELECT count(*)::int AS n, sum(hashtext(at::text || note))::text AS sum FROM logs";

  test("row triggers that they have from their top do not fire, whatever they are", async () => {
    const triggers = `CREATE TABLE seen (what text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (TG_NAME); RETURN NULL; END$$;
      CREATE TRIGGER usual AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION see(); CREATE TRIGGER always AFTER INSERT ON logs FOR EACH ROW EXECUTE FUNCTION see();
      ALTER TABLE logs ENABLE ALWAYS TRIGGER always; ALTER TABLE logs_25 ENABLE ALWAYS TRIGGER always`;
    await using source = await freshDatabase("source", { sql: [YEARS, ROWS] });
    await using target = await freshDatabase("target", { sql: [YEARS, triggers] });
    const before = await schemaText(target.url);
    for (const atomic of [false, true]) {
      await copy(source, target, { ...truncate, atomic });
      expect(await target.sql("SELECT DISTINCT what FROM seen")).toEqual([]);
      expect(await target.sql(sum)).toEqual(await source.sql(sum));
      expect(await schemaText(target.url)).toBe(before);
    }
  });

  test("one that only the target has keeps its rows", async () => {
    await using source = await freshDatabase("source", { sql: [YEARS, ROWS] });
    await using target = await freshDatabase("target", {
      sql: [
        YEARS,
        "CREATE TABLE logs_20 PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); INSERT INTO logs VALUES ('2020-05-05', 'old'), ('2025-05-05', 'gone')",
      ],
    });
    await copy(source, target, truncate);
    expect(await target.sql("SELECT note FROM logs_20")).toEqual([{ note: "old" }]);
    expect(await rowsOf(target.url, ["public.logs_25", "public.logs_26"])).toEqual(
      await rowsOf(source.url, ["public.logs_25", "public.logs_26"]),
    );
  });

  test.each([
    [
      "other bounds",
      `CREATE TABLE logs (at date NOT NULL, note text) PARTITION BY RANGE (at); CREATE TABLE logs_25 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
       CREATE TABLE logs_rest PARTITION OF logs DEFAULT; INSERT INTO logs VALUES ('2025-02-02', 'old'), ('2031-01-01', 'old')`,
    ],
    ["no partitions at all", "CREATE TABLE logs (note text, at date NOT NULL); INSERT INTO logs VALUES ('old', '2025-05-05')"],
  ])("%s there: the rows find their places, none of the old ones stays", async (_what, sql) => {
    await using source = await freshDatabase("source", { sql: [YEARS, ROWS] });
    await using target = await freshDatabase("target", { sql });
    for (const atomic of [false, true]) {
      const { events } = await copy(source, target, { ...truncate, atomic, verify: "checksum" });
      expect(await target.sql(sum)).toEqual(await source.sql(sum));
      expect(warningCodes(events)).toEqual(["other-partitions"]);
    }
  });

  test("partitions there only", async () => {
    await using source = await freshDatabase("source", { sql: ["CREATE TABLE logs (at date NOT NULL, note text)", ROWS] });
    await using target = await freshDatabase("target", { sql: [YEARS, "INSERT INTO logs VALUES ('2025-05-05', 'old')"] });
    const { events } = await copy(source, target, truncate);
    expect(await target.sql(sum)).toEqual(await source.sql(sum));
    expect(warningCodes(events)).toEqual(["other-partitions"]);
  });

  test("inheritance on the source, partitions on the target: refused, because emptying the top empties what is loaded already", async () => {
    const heirs = `CREATE TABLE logs (at date NOT NULL, note text);
      CREATE TABLE logs_25 (CHECK (at < '2026-01-01')) INHERITS (logs); CREATE TABLE logs_26 () INHERITS (logs)`;
    const big = "INSERT INTO logs_25 SELECT '2025-03-03', repeat('x', 500) FROM generate_series(1, 10000)";
    await using source = await freshDatabase("source", { sql: [heirs, big, "INSERT INTO logs_26 VALUES ('2026-01-01', 'y')"] });
    await using target = await freshDatabase("target", { sql: [YEARS, "INSERT INTO logs VALUES ('2025-05-05', 'old')"] });
    for (const atomic of [false, true]) {
      const error = await copy(source, target, { ...truncate, jobs: 1, atomic }).catch((failure: PgdittoError) => failure);
      expect(error).toMatchObject({ code: "preflight", exitCode: 6 });
      expect("message" in error && error.message).toContain("public.logs_25, public.logs_26 are partitions of public.logs on the target");
      expect(await target.sql("SELECT note FROM logs")).toEqual([{ note: "old" }]);
    }
    // each leaf alone is what it is on both sides
    await copy(source, target, { ...truncate, excludeTables: ["logs"] });
    expect(await target.sql(sum)).toEqual(await source.sql(sum));
  });
});
