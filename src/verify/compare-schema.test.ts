import { describe, expect, test } from "vitest";

import { makeEntry } from "../../tests/house/make.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { compareSchemas, type SchemaOptions } from "./compare-schema.ts";

const OPTIONS: SchemaOptions = { skipExtensions: [], leftOut: new Set<number>(), sameMajor: true };

function compare(source: SchemaEntry[], target: SchemaEntry[], options = OPTIONS): string[] {
  return compareSchemas(source, target, options).map(
    ({ kind, object, source: there, target: here }) => `${kind} ${object}: ${there} / ${here}`,
  );
}

const table = (sql: string, more: Partial<SchemaEntry> = {}): SchemaEntry =>
  makeEntry({ dumpId: 1, type: "TABLE", name: "t", sql, ...more });

describe("compareSchemas", () => {
  test.each<[string, SchemaEntry[], SchemaEntry[], string[]]>([
    ["nothing in either", [], [], []],
    ["the same under other numbers", [table("CREATE TABLE t ();")], [table("CREATE TABLE t ();", { dumpId: 9, oid: 9 })], []],
    ["missing", [table("CREATE TABLE t ();")], [], ["table public.t: there / missing"]],
    ["extra", [], [table("CREATE TABLE t ();")], ["table public.t: missing / there"]],
    ["another line", [table("a\n  b int\nc")], [table("a\n  b text\nc")], ["table public.t: b int / b text"]],
    ["a line more", [table("a")], [table("a\nb")], ["table public.t: nothing / b"]],
    ["a long line is cut", [table("x".repeat(70))], [table("y")], [`table public.t: ${"x".repeat(60)}… / y`]],
    [
      "the same name in another schema",
      [table("a")],
      [table("a", { schema: "other" })],
      ["table public.t: there / missing", "table other.t: missing / there"],
    ],
    [
      "the same name of another type",
      [table("a")],
      [table("a", { type: "VIEW" })],
      ["table public.t: there / missing", "view public.t: missing / there"],
    ],
    [
      "another tablespace",
      [table("a", { settings: "SET default_tablespace = fast;" })],
      [table("a")],
      ["table public.t: SET default_tablespace = fast; / nothing"],
    ],
    [
      "a setting that a comment does not use",
      [makeEntry({ dumpId: 1, type: "COMMENT", sql: "x", settings: "SET default_tablespace = fast;" })],
      [makeEntry({ dumpId: 1, type: "COMMENT", sql: "x" })],
      [],
    ],
    ["privileges in another order", [table("GRANT 1;\nGRANT 2;", { type: "ACL" })], [table("GRANT 2;\nGRANT 1;", { type: "ACL" })], []],
    [
      "columns in another order",
      [table("CREATE TABLE t (\n a int,\n b int\n);")],
      [table("CREATE TABLE t (\n b int,\n a int\n);")],
      ["table public.t: a int, / b int,"],
    ],
    [
      "columns of an inheritance child in another order",
      [table("(\n a int,\n b int\n)\nINHERITS (p);")],
      [table("(\n b int,\n a int\n)\nINHERITS (p);")],
      [],
    ],
    [
      "of three with one name, one is another",
      ["x", "y", "z"].map((sql) => table(sql, { type: "CAST" })),
      ["z", "w", "x"].map((sql) => table(sql, { type: "CAST" })),
      ["cast public.t: y / w"],
    ],
    [
      "values and large objects are not the schema's",
      [makeEntry({ dumpId: 1, type: "SEQUENCE SET" }), makeEntry({ dumpId: 2, type: "ACL", name: "LARGE OBJECT 7" }), table("")],
      [],
      [],
    ],
  ])("%s", (_, source, target, expected) => {
    expect(compare(source, target)).toEqual(expected);
  });

  test("between two major versions, what the server words anew is compared by name only", () => {
    const both = (type: string, there: string, here: string): string[] =>
      compare([makeEntry({ dumpId: 1, type, name: "x", sql: there })], [makeEntry({ dumpId: 1, type, name: "x", sql: here })], {
        ...OPTIONS,
        sameMajor: false,
      });
    expect(both("VIEW", "SELECT t.a", "SELECT a")).toEqual([]);
    expect(both("FUNCTION", "    BEGIN ATOMIC\n SELECT t.a", "    BEGIN ATOMIC\n SELECT a")).toEqual([]);
    expect(both("FUNCTION", "    AS $$ 1 $$", "    AS $$ 2 $$")).toEqual(["function public.x: AS $$ 1 $$ / AS $$ 2 $$"]);
    expect(both("TABLE", "a int NOT NULL", 'a int CONSTRAINT "t ""a\nnn" NOT NULL')).toEqual([]);
    expect(both("TABLE", "a int NOT NULL", "a int")).toEqual(["table public.x: a int NOT NULL / a int"]);
    const range = (multirange: string): string => `CREATE TYPE x AS RANGE (\n    subtype = text,${multirange}\n    collation = "C"\n);`;
    expect(both("TYPE", range(""), range('\n    multirange_type_name = public."x ""a\nb",'))).toEqual([]);
    expect(both("TYPE", "(\n    subtype = int\n)", "(\n    subtype = int,\n    multirange_type_name = public.x\n)")).toEqual([]);
    expect(both("TYPE", "(\n    subtype = int\n)", "(\n    subtype = text,\n    multirange_type_name = public.x\n)")).toHaveLength(1);
    expect(both("INDEX", "a", "b")).toEqual(["index public.x: a / b"]);
  });

  test("what was left out on purpose: extensions with their comments, and foreign keys into rows that were not selected", () => {
    const extension = makeEntry({ dumpId: 1, type: "EXTENSION", name: "postgis", schema: "" });
    const comment = makeEntry({ dumpId: 2, type: "COMMENT", name: "EXTENSION postgis", schema: "", dependencies: [1] });
    const key = makeEntry({ dumpId: 3, type: "FK CONSTRAINT", name: "a b", oid: 77 });
    expect(compare([extension, comment, key], [])).toHaveLength(3);
    expect(compare([extension, comment, key], [], { ...OPTIONS, skipExtensions: ["postgis"], leftOut: new Set([77]) })).toEqual([]);
    // nothing else is forgiven with it
    expect(compare([makeEntry({ dumpId: 4, type: "INDEX", oid: 77 })], [], { ...OPTIONS, leftOut: new Set([77]) })).toHaveLength(1);
  });
});
