import { describe, expect, test } from "vitest";

import { parseEntries } from "./entries.ts";

interface Header {
  id?: number;
  oid?: string;
  deps?: string;
  name?: string;
  type?: string;
  schema?: string;
  owner?: string;
}

/** One entry as `pg_dump --verbose` writes it. */
function entry(sql: string, header: Header = {}): string {
  const { id = 1, oid = "1259 16400", deps, name = "t", type = "TABLE", schema = "public", owner = "me" } = header;
  const [classId, object] = oid.split(" ");
  return [
    "--",
    `-- TOC entry ${id} (class ${classId} OID ${object})`,
    ...(deps === undefined ? [] : [`-- Dependencies: ${deps}`]),
    `-- Name: ${name}; Type: ${type}; Schema: ${schema}; Owner: ${owner}`,
    "--",
    "",
    sql,
    "",
    "",
  ].join("\n");
}

const PREAMBLE = `--
-- PostgreSQL database dump
--

\\restrict Abc123

-- Dumped from database version 15.18
-- Dumped by pg_dump version 15.18

-- Started on 2026-07-01 10:00:00 UTC

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

`;
const END = "-- Completed on 2026-07-01 10:00:01 UTC\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict Abc123\n\n";

const script = (...entries: string[]): string => PREAMBLE + entries.join("") + END;

describe("parseEntries", () => {
  test("an entry with all its parts", () => {
    expect(parseEntries(script(entry("CREATE TABLE public.t (\n    a integer\n);", { id: 214, deps: "3 12 7 ", owner: "a b" })))).toEqual([
      {
        dumpId: 214,
        classId: 1259,
        oid: 16400,
        dependencies: [3, 12, 7],
        name: "t",
        type: "TABLE",
        schema: "public",
        owner: "a b",
        sql: "CREATE TABLE public.t (\n    a integer\n);",
        settings: "",
        key: expect.stringMatching(/^[\w-]{22}$/),
      },
    ]);
  });

  test("the same object in the same words has the same key in any script; other words, another one", () => {
    const keyOf = (sql: string, header: Header) => parseEntries(script(entry(sql, header)))[0]?.key;
    const key = keyOf("CREATE TABLE a ();", { id: 1, oid: "1259 1", owner: "me" });
    expect(keyOf("CREATE TABLE a ();", { id: 77, oid: "1259 2", deps: "3", owner: "you" })).toBe(key);
    expect(keyOf("CREATE TABLE a (i int);", { id: 1 })).not.toBe(key);
    expect(keyOf("CREATE TABLE a ();", { id: 1, schema: "other" })).not.toBe(key);
  });

  test("entries in the script's order, each with its own statements only", () => {
    const found = parseEntries(
      script(entry("CREATE TABLE a ();", { id: 9 }), entry("CREATE TABLE b ();\n\n\nALTER TABLE b OWNER TO me;", { id: 4 })),
    );
    expect(found.map(({ dumpId, sql }) => [dumpId, sql])).toEqual([
      [9, "CREATE TABLE a ();"],
      [4, "CREATE TABLE b ();\n\n\nALTER TABLE b OWNER TO me;"],
    ]);
  });

  test("no schema, no owner, no object of its own", () => {
    const [found] = parseEntries(
      script(entry("ALTER DATABASE d SET work_mem = '1MB';", { oid: "0 0", schema: "-", owner: "-", type: "DATABASE PROPERTIES" })),
    );
    expect(found).toMatchObject({ classId: 0, oid: 0, schema: "", owner: "", dependencies: [], type: "DATABASE PROPERTIES" });
  });

  test("a tablespace behind the owner is no part of it", () => {
    const [found] = parseEntries(script(entry("CREATE TABLE t ();", { owner: "me; Tablespace: fast disk" })));
    expect(found?.owner).toBe("me");
  });

  test.each([
    ["a; Type: VIEW", "TABLE"],
    ["a; Type: VIEW; Schema: x; Owner: y", "TABLE"],
    ["-- TOC entry 1 (class 1 OID 1)", "TABLE"],
    ["$$ /* ' \" (", "FUNCTION"],
    ["a; Name: b", "FK CONSTRAINT"],
  ])("the name %j", (name, type) => {
    expect(parseEntries(script(entry("SELECT 1;", { name, type }), entry("SELECT 2;", { id: 2 })))).toMatchObject([
      { name, type, schema: "public", owner: "me", sql: "SELECT 1;" },
      { dumpId: 2, sql: "SELECT 2;" },
    ]);
  });

  test("a look-alike of a header is not one", () => {
    const bodies = [
      `CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $_$\n${entry("SELECT 'inside';", { id: 666 })}$_$;`,
      `COMMENT ON TABLE t IS 'a\n${entry("SELECT 1;", { id: 667 })}';`,
      `CREATE VIEW v AS\n SELECT (1\n${entry("SELECT 1;", { id: 668 })}) AS a;`,
      `CREATE TABLE "a\n${entry("SELECT 1;", { id: 669 })}" ();`,
      `/*\n${entry("SELECT 1;", { id: 670 })}*/\nSELECT 1;`,
    ];
    const found = parseEntries(script(...bodies.map((sql, i) => entry(sql, { id: i + 1 }))));
    expect(found.map(({ dumpId, sql }) => [dumpId, sql])).toEqual(bodies.map((sql, i) => [i + 1, sql]));
  });

  test("comments at the end of a body belong to it, the frame of the next header does not", () => {
    const sql = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\n--\n-- the end\n--\n$$;";
    expect(parseEntries(script(entry(sql), entry("SELECT 1;"))).map((found) => found.sql)).toEqual([sql, "SELECT 1;"]);
  });

  test("an entry without a statement has no text", () => {
    const found = parseEntries(
      script(entry("", { id: 1 }), entry("-- *not* creating schema, since initdb creates it\n", { id: 2 }), entry("SELECT 1;", { id: 3 })),
    );
    expect(found.map(({ sql }) => sql)).toEqual(["", "", "SELECT 1;"]);
  });

  test("what follows the last entry is not its own", () => {
    expect(parseEntries(script(entry("SELECT 1;"))).at(-1)?.sql).toBe("SELECT 1;");
    expect(parseEntries(PREAMBLE + entry("SELECT 1;").trimEnd()).at(-1)?.sql).toBe("SELECT 1;");
  });

  test("Windows' line ends", () => {
    expect(parseEntries(script(entry("SELECT 1;", { deps: "1 2" })).replaceAll("\n", "\r\n"))).toMatchObject([
      { dumpId: 1, dependencies: [1, 2], name: "t", owner: "me", sql: "SELECT 1;" },
    ]);
  });
});

describe("parseEntries, settings between entries", () => {
  test("hold for the entries that follow, and are no part of the one before", () => {
    const found = parseEntries(
      script(
        entry("SELECT 1;"),
        "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n",
        entry("SELECT 2;"),
        entry("SELECT 3;"),
        'SET default_tablespace = "fast ""disk""";\n\n',
        entry("SELECT 4;"),
      ),
    );
    expect(found.map(({ sql, settings }) => [sql, settings])).toEqual([
      ["SELECT 1;", ""],
      ["SELECT 2;", "SET default_tablespace = ''; SET default_table_access_method = heap;"],
      ["SELECT 3;", "SET default_tablespace = ''; SET default_table_access_method = heap;"],
      ["SELECT 4;", 'SET default_tablespace = "fast ""disk"""; SET default_table_access_method = heap;'],
    ]);
  });

  test("inside a function's body they are words", () => {
    const sql = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\nSET default_tablespace = x;\n$$;";
    expect(parseEntries(script(entry(sql), entry("SELECT 1;")))).toMatchObject([{ sql }, { settings: "" }]);
  });
});

describe("parseEntries, psql's own commands", () => {
  test("the preamble of a new connection belongs to nobody", () => {
    const preamble =
      "\\connect -reuse-previous=on \"dbname='it''s'\"\n\nSET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n";
    const found = parseEntries(script(entry("CREATE DATABASE d;", { type: "DATABASE" }), preamble, entry("SELECT 1;")));
    expect(found.map(({ sql }) => sql)).toEqual(["CREATE DATABASE d;", "SELECT 1;"]);
  });

  test("a restrict line inside a body stays", () => {
    const sql = "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '\n\\restrict a\n\\unrestrict a\n\\! rm -rf /\n' $$;";
    expect(parseEntries(script(entry(sql)))).toMatchObject([{ sql }]);
  });

  test.each(["\\! echo pwned", "\\restricted", "\\i file.sql", "\\."])("%s is refused", (line) => {
    expect(() => parseEntries(script(entry("SELECT 1;"), `${line}\n`))).toThrow(expect.objectContaining({ code: "dump" }));
  });
});

describe("parseEntries, what is not a script", () => {
  test.each([
    ["nothing", ""],
    ["a dump without --verbose", PREAMBLE + END],
    ["a header without a name", "--\n-- TOC entry 5 (class 1259 OID 7)\n--\n\nSELECT 1;\n"],
    ["a header cut off", "--\n-- TOC entry 5 (class 1259 OID 7)"],
    ["a script that is cut off in a string", script(entry("SELECT 'a"))],
  ])("%s", (_what, text) => {
    expect(() => parseEntries(text)).toThrow(expect.objectContaining({ code: "dump" }));
  });
});

describe("parseEntries and pg_attver", () => {
  const statement = "ALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=2);";

  test("the option of a column is left out", () => {
    expect(parseEntries(script(entry(`CREATE TABLE t ();\n${statement}`)))[0]?.sql).toBe("CREATE TABLE t ();");
  });

  test("the same words in a function's body stay", () => {
    const sql = `CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\n${statement}\n$$;`;
    expect(parseEntries(script(entry(sql, { type: "FUNCTION" })))[0]?.sql).toBe(sql);
  });
});
