import { describe, expect, test } from "vitest";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copy, copied, databasesLike, expectSame } from "../support/fidelity.ts";
import { runCli } from "../support/run-cli.ts";
import { quoteName, quoteText } from "../support/sql.ts";

/** 63 bytes of two-byte characters and one more. */
const longest = (start: string): string => {
  const room = 63 - Buffer.byteLength(start);
  return start + "ü".repeat(Math.floor(room / 2)) + (room % 2 === 1 ? "x" : "");
};

const NAMES = [
  "quote\" and 'apostrophe'; DROP TABLE x; --",
  "percent %s %I %% $1 :x ${y} `z`",
  "back\\slash \\n \\x41 \\",
  "line\nbreak\r\nand\ttab",
  "\n-- Name: look; Type: TABLE; Schema: s; Owner: o\n",
  "-- TOC entry 1 (class 1 OID 1)\n\\restrict x\n\\.\n",
  "UPPER and lower",
  "select",
  "a.b",
  " space before",
  "*?[]{}()|^$+",
  "日本語テーブル 👩‍👩‍👧",
  "/* open comment",
  "$$ $tag$",
];

describe("names", () => {
  test("of schemas, tables, columns, indexes, constraints, sequences, functions, types, triggers, policies, publications …", async () => {
    const names = [...NAMES, longest("L")];
    await using both = await copied({
      sql: names.map((name) => {
        const quoted = quoteName(name);
        const text = quoteText(name).replaceAll("\\", "\\\\");
        // The header of an entry is only ambiguous when a schema's name looks like one itself.
        const schema = quoteName(name.includes("; Schema: ") ? "plain" : name);
        return `CREATE SCHEMA ${schema}; SET search_path = ${schema};
        CREATE TYPE ${quoteName("T" + name.slice(0, 20))} AS ENUM (E${text});
        CREATE TABLE ${quoted} (${quoted} text CONSTRAINT ${quoteName("c" + name.slice(0, 20))} CHECK (${quoted} <> E${text} || 'x'), ${quoteName("i" + name.slice(0, 20))} serial PRIMARY KEY, e ${quoteName("T" + name.slice(0, 20))} DEFAULT E${text});
        INSERT INTO ${quoted} (${quoted}) SELECT E${text} || n FROM generate_series(1, 20) n;
        CREATE INDEX ${quoteName("ix" + name.slice(0, 20))} ON ${quoted} (${quoted});
        CREATE FUNCTION ${quoted}(${quoted} int DEFAULT 1) RETURNS text LANGUAGE sql AS $z_z_z$ SELECT E${text} || E'\\n;' $z_z_z$;
        CREATE VIEW ${quoteName("v" + name.slice(0, 20))} AS SELECT * FROM ${quoted}; CREATE MATERIALIZED VIEW ${quoteName("m" + name.slice(0, 20))} AS SELECT * FROM ${quoted};
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $t_t_t$ BEGIN RETURN NEW; END $t_t_t$;
        CREATE TRIGGER ${quoted} BEFORE UPDATE ON ${quoted} FOR EACH ROW EXECUTE FUNCTION f(E${text}); ALTER TABLE ${quoted} DISABLE TRIGGER ${quoted};
        CREATE POLICY ${quoted} ON ${quoted} USING (true); CREATE RULE ${quoted} AS ON DELETE TO ${quoted} DO INSTEAD NOTHING;
        CREATE STATISTICS ${quoteName("s" + name.slice(0, 20))} ON ${quoted}, e FROM ${quoted};
        CREATE PUBLICATION ${quoted} FOR TABLE ${quoted};
        CREATE TABLE ${quoteName("p" + name.slice(0, 20))} (${quoted} int PRIMARY KEY) PARTITION BY RANGE (${quoted}); CREATE TABLE ${quoteName("q" + name.slice(0, 20))} PARTITION OF ${quoteName("p" + name.slice(0, 20))} DEFAULT; INSERT INTO ${quoteName("p" + name.slice(0, 20))} VALUES (1);
        CREATE TABLE ${quoteName("fk" + name.slice(0, 20))} (a int CONSTRAINT ${quoted} REFERENCES ${quoteName("p" + name.slice(0, 20))}, b int REFERENCES ${quoted}); INSERT INTO ${quoteName("fk" + name.slice(0, 20))} VALUES (1, 1);
        COMMENT ON TABLE ${quoted} IS E${text}; COMMENT ON COLUMN ${quoted}.${quoted} IS E${text}; COMMENT ON CONSTRAINT ${quoted} ON ${quoteName("fk" + name.slice(0, 20))} IS E${text}; GRANT SELECT (${quoted}) ON ${quoted} TO PUBLIC;`;
      }),
    });
    expect(both.result.rows).toBe(names.length * 22);
  });

  test("that are equal but for a line break, or for the schema", async () => {
    await using _ = await copied({
      sql: `CREATE TABLE "a b" (i int PRIMARY KEY) PARTITION BY LIST (i); CREATE TABLE "a\nb" (j int PRIMARY KEY) PARTITION BY LIST (j); CREATE TABLE "a b 1" PARTITION OF "a b" DEFAULT; CREATE TABLE "a\nb 1" PARTITION OF "a\nb" DEFAULT;
        INSERT INTO "a b" VALUES (1); INSERT INTO "a\nb" VALUES (2), (3); CREATE INDEX "x y" ON "a b" (i); CREATE INDEX "x\ny" ON "a\nb" (j);
        CREATE SCHEMA s; CREATE TABLE s.t (i int PRIMARY KEY); CREATE TABLE t (j text PRIMARY KEY); INSERT INTO s.t VALUES (1); INSERT INTO t VALUES ('a'), ('b'); CREATE MATERIALIZED VIEW mv AS SELECT * FROM t; CREATE MATERIALIZED VIEW s.mv AS SELECT * FROM s.t WITH NO DATA;`,
    });
  });
});

describe("names of databases", () => {
  test.each([`Quote" ' \\ %s`, "percent%2F/?#&=x", "-host=x dbname=y ", "日本語 $1 $$ `x`", 'it\'s "DATABASE x"'])(
    "%j on both sides",
    async (start) => {
      await using source = await freshDatabase("source", {
        name: uniqueName(start),
        sql: "CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (1), (2)",
      });
      await source.sql(
        `COMMENT ON DATABASE ${quoteName(source.name)} IS 'about DATABASE ${source.name.replaceAll("'", "''")}'; ALTER DATABASE ${quoteName(source.name)} SET work_mem = '5MB'; ALTER DATABASE ${quoteName(source.name)} CONNECTION LIMIT 5`,
      );
      await using target = reservedDatabase("target", uniqueName(`${start}T`));
      await copy(source, target);
      await copy(source, target, { keepPrevious: true, pgDump: "wasm" });
      await expectSame(source, target);
      expect(await databasesLike(target)).toEqual([target.name, `${target.name}_previous`]);
    },
  );

  test("of 63 bytes: staging and previous names fit, and are this target's alone", async () => {
    const name = longest(uniqueName("D"));
    await using source = await freshDatabase("source", { name, sql: "CREATE TABLE t AS SELECT 1 AS i" });
    await using target = reservedDatabase("target", name);
    await copy(source, target);
    await copy(source, target, { keepPrevious: true });
    await copy(source, target, { keepPrevious: true });
    await expectSame(source, target);
    const short = { ...target, name: name.slice(0, 20) };
    const found = await databasesLike(short);
    expect(found).toHaveLength(2);
    const previous = found.find((database) => database !== name) ?? "";
    expect(previous).toMatch(/ü+_previous$/);
    await target.sql(`DROP DATABASE ${quoteName(previous)}`);
  });

  test("with a line break in the source's: refused with a clear error, nothing made", async () => {
    await using source = await freshDatabase("source", { name: uniqueName("line\nbreak"), sql: "CREATE TABLE t AS SELECT 1 AS i" });
    await using target = reservedDatabase("target");
    for (const pgDump of ["auto", "wasm"] as const)
      await expect(copy(source, target, { pgDump })).rejects.toMatchObject({
        code: "dump",
        message: expect.stringContaining("line break"),
        hint: expect.stringContaining("RENAME"),
      });
    expect(await databasesLike(target)).toEqual([]);
    const { code, stderr } = await runCli(["sync", "--source", source.url, "--target", target.url]);
    expect(code).toBe(1);
    expect(stderr).toContain("line break");
  });
});
