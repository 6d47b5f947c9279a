import { describe, expect, test } from "vitest";

import { parseScript } from "./parse-script.ts";
import { splitScript } from "./split-script.ts";

const parse = (text: string, set: Record<string, string> = {}): ReturnType<typeof parseScript> =>
  parseScript("a.sql", text, new Map(Object.entries(set)));
const sent = (text: string, set?: Record<string, string>): string[] => parse(text, set).statements.map(({ sql }) => sql);

describe("a file is cut at its semicolons", () => {
  test.each<[string, string, string[]]>([
    ["nothing", "", []],
    ["only comments and semicolons", "-- a;\n/* b; */ ; ;;\n", []],
    ["the last one without", "SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["of one character", "x", ["x"]],
    ["one that begins with no letter", "(SELECT 1); \"a\"; 'b'; 7", ["(SELECT 1)", '"a"', "'b'", "7"]],
    ["in strings", "SELECT ';', E'\\';', 'it''s;'; SELECT 2", ["SELECT ';', E'\\';', 'it''s;'", "SELECT 2"]],
    ["in an escape string that goes on", "SELECT E'a'\n'\\';'; SELECT 2", ["SELECT E'a'\n'\\';'", "SELECT 2"]],
    ["a backslash in a plain string", "SELECT '\\'; SELECT 2", ["SELECT '\\'", "SELECT 2"]],
    ["in names", 'SELECT ";", "a"";"; SELECT 2', ['SELECT ";", "a"";"', "SELECT 2"]],
    ["in dollar quotes", "DO $a$ ; $$ ; $a$; SELECT 2", ["DO $a$ ; $$ ; $a$", "SELECT 2"]],
    ["in dollar quotes behind a number", "SELECT 1$a$ ; $a$, $1$b$ ; $b$; SELECT 2", ["SELECT 1$a$ ; $a$, $1$b$ ; $b$", "SELECT 2"]],
    ["no dollar quote", "SELECT a$b$; SELECT a$b$", ["SELECT a$b$", "SELECT a$b$"]],
    ["in comments", "SELECT 1 -- ;\n, 2 /* ; /* ; */ ; */; SELECT 2", ["SELECT 1 -- ;\n, 2 /* ; /* ; */ ; */", "SELECT 2"]],
    [
      "in parentheses",
      "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
      ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"],
    ],
    [
      "in a function's body",
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3",
      ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END", "SELECT 3"],
    ],
    ["and in no other", "CREATE TABLE begin (a int); SELECT 2", ["CREATE TABLE begin (a int)", "SELECT 2"]],
    ["comments before it are none of it", "-- why\n  /* how */ SELECT 1", ["SELECT 1"]],
    ["CRLF", "SELECT 1;\r\nSELECT 2;\r\n", ["SELECT 1", "SELECT 2"]],
  ])("%s", (_what, text, statements) => {
    expect(sent(text)).toEqual(statements);
  });

  test("each knows its line", () => {
    const { statements } = parse("SELECT 1;\n\n-- x\nSELECT\n2; SELECT 3;\n'\n'\n;SELECT 4");
    expect(statements.map(({ line }) => line)).toEqual([1, 4, 5, 6, 8]);
  });
});

describe("variables", () => {
  const set = { n: "it's", id: 'Order "Items"', back: "a\\b", empty: "", bare: "a + 1" };
  test.each<[string, string]>([
    ["SELECT :'n'", "SELECT 'it''s'"],
    ["SELECT :'back', :'empty'", "SELECT  E'a\\\\b', ''"],
    ['SELECT :"id"', 'SELECT "Order ""Items"""'],
    ["SELECT :bare", "SELECT a + 1"],
    ["SELECT :{?n}, :{?nope}", "SELECT TRUE, FALSE"],
    ["SELECT :'n'::text, a::n, (1)::n", "SELECT 'it''s'::text, a::n, (1)::n"],
    ["SELECT ':n', ':''n''', \":n\", $$:n$$ -- :n\n/* :n */", "SELECT ':n', ':''n''', \":n\", $$:n$$ -- :n\n/* :n */"],
    ["SELECT a[1:2], a[lo:hi], a[:'n']", "SELECT a[1:2], a[lo:hi], a['it''s']"],
    ["SELECT f(a := 1)", "SELECT f(a := 1)"],
    ["SELECT a<:bare>b", "SELECT a<a + 1>b"],
  ])("%s", (text, expanded) => {
    expect(sent(text, set)).toEqual([expanded]);
  });

  test("a value is not looked into for others, and no replacement pattern", () => {
    expect(sent("SELECT :'a', :b", { a: ":b $& $1", b: "'x' -- :c" })).toEqual(["SELECT ':b $& $1', 'x' -- :c"]);
  });

  test("the digest knows values and mode, not how the file is written", () => {
    const { digest } = parse("SELECT :'a'", { a: "1" });
    expect(parse("-- why\nSELECT :'a' ;\n", { a: "1", unused: "2" }).digest).toBe(digest);
    expect(parse("SELECT :'a'", { a: "2" }).digest).not.toBe(digest);
    expect(parse("-- pgditto: no-transaction\nSELECT :'a'", { a: "1" }).digest).not.toBe(digest);
  });

  test("what is shown has the variable, what is sent its value", () => {
    expect(parse("SELECT :'a'", { a: "hunter2" }).statements).toEqual([{ sql: "SELECT 'hunter2'", raw: "SELECT :'a'", line: 1 }]);
  });
});

describe("refused, by line", () => {
  test.each<[string, number, string]>([
    ["SELECT 1;\nSELECT '\n\n;", 2, "ends inside a string"],
    ["SELECT 1;\nSELECT E'\\'", 2, "ends inside a string"],
    ['\n\nSELECT "a', 3, "ends inside a quoted name"],
    ["SELECT 1; /* a /* b */\n", 1, "ends inside a comment"],
    ["DO\n$x$ BEGIN $$ END $x;", 2, "ends inside the dollar quote $x$"],
    ["SELECT (1;\nSELECT 2;", 1, "ends inside a parenthesis"],
    ["\nCREATE OR REPLACE FUNCTION f() RETURNS int\nBEGIN ATOMIC SELECT 1;", 2, "BEGIN ... END of the function"],
    ["SELECT 1;\n\\i other.sql", 2, "\\i is a command of psql"],
    ["SELECT 1 \\gset", 1, "\\gset is a command of psql"],
    ["SELECT 1\\; SELECT 2", 1, "\\; is a command of psql"],
    ["\\restrict abc", 1, "\\restrict is a command of psql"],
    ["\nCOPY t (a, b) FROM stdin;\n1\tit's\n\\.\n", 2, "need a client that sends or takes rows"],
    ["\nCOPY t (a, b) FROM stdin WITH (FORMAT csv);", 2, "need a client that sends or takes rows"],
    ["COPY (SELECT 1) TO STDOUT", 1, "need a client that sends or takes rows"],
    ["SELECT 1;\nbegin;", 2, "BEGIN stands in a file that runs in one transaction"],
    ["START TRANSACTION", 1, "START stands"],
    ["COMMIT AND CHAIN", 1, "COMMIT stands"],
    ["END", 1, "END stands"],
    ["ROLLBACK", 1, "ROLLBACK stands"],
    ["ROLLBACK PREPARED 'x'", 1, "ROLLBACK stands"],
    ["PREPARE TRANSACTION 'x'", 1, "PREPARE TRANSACTION would leave"],
    ["-- pgditto: no-transaction\nBEGIN; PREPARE TRANSACTION 'x'", 2, "PREPARE TRANSACTION would leave"],
    ["-- a\nVACUUM t", 2, "VACUUM"],
    ["CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", 1, "cannot run within a transaction"],
    ["CREATE DATABASE x", 1, "cannot run within a transaction"],
    ["REINDEX TABLE CONCURRENTLY t", 1, "cannot run within a transaction"],
    ["SELECT 1;\nSELECT\n:'nope'", 3, "the variable :'nope' has no value"],
    ["SELECT :nope", 1, "the variable :nope has no value"],
    ['SELECT :"nope"', 1, 'the variable :"nope" has no value'],
    ["SELECT 1 WHERE :two", 1, "with the value of :two this is not one statement"],
    ["SELECT :open", 1, "with the value of :open this is not one statement"],
    [":commit", 1, "COMMIT stands in a file"],
    ["-- pgditto: no-transactions\nVACUUM", 1, "does not know this instruction"],
    ["--pgditto : no-transaction\nVACUUM", 1, "does not know this instruction"],
    ["SELECT 1;\n-- pgditto: no-transaction\nVACUUM", 2, "stands behind a statement"],
  ])("%j", (text, line, reason) => {
    const set = { two: "true; DROP TABLE t", open: "'", commit: "COMMIT" };
    expect(() => parse(text, set)).toThrow(
      expect.objectContaining({ code: "usage", object: `a.sql:${line}`, message: expect.stringContaining(reason) as string }),
    );
  });

  test("no value is shown", () => {
    for (const text of ["SELECT :x", ":x"]) {
      expect(() => parse(text, { x: "hunter2; hunter3" })).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining("hunter") }),
      );
    }
  });
});

test.each([
  "SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a",
  "PREPARE p AS SELECT 1",
  "CREATE INDEX i ON t (a)",
  "COPY t FROM '/a'",
  "SELECT 1 AS begin",
])("%s may stand in a transaction", (text) => {
  expect(parse(text).transaction).toBe(true);
});

test("without a transaction statements may begin one, and it is known that they do", () => {
  expect(parse("\n  -- pgditto: no-transaction  \r\n/* x */ VACUUM; BEGIN; COMMIT")).toMatchObject({
    transaction: false,
    ownTransactions: true,
  });
  expect(parse("-- pgditto: no-transaction\nVACUUM").ownTransactions).toBe(false);
  expect(parse("SELECT '\n-- pgditto: no-transaction\n'").transaction).toBe(true);
});

test("a million semicolons are cut in no time, and a long line too", () => {
  const fail = (): Error => new Error("refused");
  expect(splitScript("SELECT 1; -- x\n".repeat(100_000), fail).statements).toHaveLength(100_000);
  expect(splitScript("SELECT :'a'; ".repeat(100_000), fail).statements).toHaveLength(100_000);
});
