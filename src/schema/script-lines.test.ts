import { describe, expect, test } from "vitest";

import { topLevelLines } from "./script-lines.ts";

/** The marked lines that are seen at the top level. */
function marks(script: string): string[] {
  return [...topLevelLines(script)].map((line) => line.text).filter((text) => /^(?:--|\\)?\s*MARK/.test(text));
}

describe("topLevelLines", () => {
  test("the first line, and every line between statements", () => {
    const script = "MARK 0\n;\nMARK 1;\n\nSELECT 1;\nMARK 2";
    expect(marks(script)).toEqual(["MARK 0", "MARK 1;", "MARK 2"]);
  });

  test("offsets point at the lines; a carriage return is no part of them", () => {
    const script = "SELECT 1;\r\nMARK\r\n";
    const lines = [...topLevelLines(script)];
    expect(lines.map(({ at, text }) => script.startsWith(text, at))).not.toContain(false);
    expect(lines.at(-1)).toEqual({ at: 11, text: "MARK" });
  });

  test.each([
    ["a string", "SELECT 'a\n-- MARK\n';"],
    ["a string with a doubled quote", "SELECT 'it''s\n-- MARK\n';"],
    ["a string that ends in a backslash", "SELECT '\\';\n SELECT 'x\n-- MARK\n';"],
    ["an escape string with an escaped quote", "SELECT E'a\\'\n-- MARK\n';"],
    ["an escape string with a doubled quote", "SELECT e'a''\n-- MARK\n';"],
    ["an escape string with a doubled quote before an escaped one", "SELECT E'a''b\\'c\n-- MARK\n';"],
    ["an escape string that goes on behind a line break", "SELECT E'a' -- why\n  'b\\'c\n-- MARK\n';"],
    ["an escape string after a parenthesis", "SELECT (E'\\'\n-- MARK\n');"],
    ["a quoted name", 'CREATE TABLE "a\n-- MARK\n" ();'],
    ["a quoted name with a doubled quote", 'CREATE TABLE "a""\n-- MARK\n" ();'],
    ["a quoted name with a single quote", 'CREATE TABLE "it\'s\n-- MARK\n" ();'],
    ["a dollar quote", "DO $$\n-- MARK\n$$;"],
    ["a dollar quote with a tag", "DO $_x1$\n$$\n-- MARK\n$_x$\n$_x1$;"],
    ["a dollar quote with a tag of letters that are not ASCII", "DO $größe$\n$$\n-- MARK\n$größe$;"],
    ["a dollar quote behind a number", "SELECT 1$a$\n-- MARK\n$a$;"],
    ["a comment", "/*\n-- MARK\n*/ SELECT 1;"],
    ["a comment in a comment", "/* a /* b */\n-- MARK\n*/ SELECT 1;"],
    ["a statement", "SELECT\n-- MARK\n1;"],
    ["parentheses with a semicolon in them", "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1;\n-- MARK\n SELECT 2;\n);"],
  ])("nothing inside %s is at the top level", (_what, script) => {
    expect(marks(script)).toEqual([]);
    // and the walk finds its way out again
    expect(marks(`${script}\n-- MARK`)).toEqual(["-- MARK"]);
  });

  test.each([
    ["a dollar sign in a name is no dollar quote", "SELECT a$b$ FROM t;\n-- MARK\nSELECT a$b$;", 1],
    ["nor after a letter that is not ASCII", "SELECT ä$b$ FROM t;\n-- MARK\n", 1],
    ["a parameter is no dollar quote", "SELECT $1, $2;\n-- MARK\n", 1],
    ["E at the end of a name makes no escape string", "SELECT typE'\\';\n-- MARK\nSELECT '';", 1],
    ["a quote in a comment opens nothing", "-- it's\n-- MARK\n", 1],
    ["a dollar quote in a comment opens nothing", "SELECT 1; -- $$\n-- MARK\n", 1],
    ["a closing parenthesis too many does no harm", "SELECT 1);\n-- MARK\n", 1],
    ["a line after a comment on a statement's line", "SELECT 1; -- why\n-- MARK\n", 1],
    ["several comment lines in a row", "--\n-- MARK a\n-- MARK b\n--\n", 2],
  ])("%s", (_what, script, count) => {
    expect(marks(script)).toHaveLength(count);
  });

  test("quotes in a psql command are not SQL's", () => {
    expect(marks("--\n\\connect \"it's\n-- MARK a\n\\MARK it's $$ /* (\n-- MARK b\n")).toEqual([
      "-- MARK a",
      "\\MARK it's $$ /* (",
      "-- MARK b",
    ]);
  });

  test.each(["SELECT 'a", 'SELECT "a', "SELECT $$a$", "SELECT $a$ $b$", "/* /* */", "SELECT E'a\\'"])("%j ends too early", (script) => {
    expect(() => [...topLevelLines(script)]).toThrow(expect.objectContaining({ code: "dump" }));
  });

  test("two walks at once do not disturb each other", () => {
    const script = "SELECT 1;\nMARK a;\nMARK b;\n";
    const [first, second] = [topLevelLines(script), topLevelLines(script)];
    const texts: string[] = [];
    for (const line of first) {
      texts.push(line.text);
      second.next();
    }
    expect(texts).toEqual(["SELECT 1;", "MARK a;", "MARK b;"]);
  });
});
