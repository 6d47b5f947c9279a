import { describe, expect, test } from "vitest";

import { displayIdent, displayName, quoteIdent, quoteLiteral, quoteQualified } from "./quote.ts";

test.each([
  ["a", '"a"'],
  ['a"b', '"a""b"'],
  ['"', '""""'],
  ["a\nb%\\", '"a\nb%\\"'],
  ["", '""'],
])("quoteIdent(%j)", (name, quoted) => {
  expect(quoteIdent(name)).toBe(quoted);
});

test("quoteQualified quotes each part", () => {
  expect(quoteQualified('s"', "t.u")).toBe('"s"""."t.u"');
});

test.each([
  ["", "''"],
  ["it's", "'it''s'"],
  ["a\\b", " E'a\\\\b'"],
  ["\\'", " E'\\\\'''"],
  ["a\nb", "'a\nb'"],
  ["$$", "'$$'"],
])("quoteLiteral(%j)", (value, quoted) => {
  expect(quoteLiteral(value)).toBe(quoted);
});

describe("names for people", () => {
  test.each([
    ["orders", "orders"],
    ["_a1$", "_a1$"],
    ["größe", "größe"],
    ["Orders", '"Orders"'],
    ["1a", '"1a"'],
    ["a b", '"a b"'],
    ["a.b", '"a.b"'],
    ['a"b', '"a""b"'],
    ["", '""'],
    ["a\n", '"a\n"'],
  ])("%j", (name, shown) => {
    expect(displayIdent(name)).toBe(shown);
    expect(displayName("public", name)).toBe(`public.${shown}`);
  });
});
