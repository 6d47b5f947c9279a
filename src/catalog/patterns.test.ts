import { describe, expect, test } from "vitest";

import { parsePattern } from "./patterns.ts";

/** What the server does with them: its regular expressions are JavaScript's, as far as these tests go. */
function matches(pattern: string, schema: string, name: string): boolean {
  const parsed = parsePattern(pattern, true);
  return new RegExp(parsed.name, "s").test(name) && (parsed.schema === undefined || new RegExp(parsed.schema, "s").test(schema));
}

test.each([
  ["orders", undefined, "^(orders)$"],
  ["Orders", undefined, "^(orders)$"],
  ["public.orders", "^(public)$", "^(orders)$"],
  ["*.log_?", "^(.*)$", "^(log_.)$"],
  ['"Orders"', undefined, "^(Orders)$"],
  ['"a.b"', undefined, "^(a\\.b)$"],
  ['"a""b"', undefined, '^(a"b)$'],
  ['"a*"', undefined, "^(a\\*)$"],
  ['p"A"q', undefined, "^(pAq)$"],
  ['"My Schema"."My Table"', "^(My Schema)$", "^(My Table)$"],
  ["a$b", undefined, "^(a\\$b)$"],
  ["a|b", undefined, "^(a|b)$"],
  ["[ab]c+", undefined, "^([ab]c+)$"],
  // as the server folds names: only ASCII letters
  ["ÄRGER", undefined, "^(Ärger)$"],
])("the pattern %s", (text, schema, name) => {
  expect(parsePattern(text, true)).toEqual({ text, schema, name });
});

test("a schema's pattern has no parts", () => {
  expect(parsePattern("a.b", false)).toEqual({ text: "a.b", schema: undefined, name: "^(a.b)$" });
});

describe("matching", () => {
  test.each([
    ["order*", "public", "order_items", true],
    ["order?", "public", "orders", true],
    ["order?", "public", "order", false],
    ["a|b", "public", "b", true],
    ["a|b", "public", "ab", false],
    ["public.*", "public", "anything", true],
    ["public.*", "publics", "anything", false],
    ['"order?"', "public", "orders", false],
    ['"a|b"', "public", "a|b", true],
    ['"^(x)$"', "public", "^(x)$", true],
  ])("%s and %s.%s: %j", (pattern, schema, name, expected) => {
    expect(matches(pattern, schema, name)).toBe(expected);
  });

  test("a name in double quotes matches itself and nothing else, whatever is in it", () => {
    for (const name of ["a*", "a?", "(a", "[a", "a\\d", "a{1}", "^a$", 'a"b', "a|b", "a.b", "+", "ünï"]) {
      const pattern = `"${name.replaceAll('"', '""')}"`;
      expect(matches(pattern, "public", name), pattern).toBe(true);
      expect(matches(pattern, "public", `${name}x`), pattern).toBe(false);
      expect(matches(pattern, "public", name.slice(1)), pattern).toBe(false);
    }
  });
});

test.each(['"orders', 'a"b', "a.b.c", '"a"."b"."c"'])("%s is refused", (text) => {
  expect(() => parsePattern(text, true)).toThrow(expect.objectContaining({ code: "usage", object: text }));
});
