import { expect, test } from "vitest";

import { errorDetails } from "./error-details.ts";
import { alignColumns, painter, printable } from "./style.ts";

const plain = painter(false);

function block(failure: Partial<Parameters<typeof errorDetails>[0]>): string[] {
  return errorDetails({ error: { code: "preflight", message: "2 obstacles found." }, exitCode: 6, ...failure }, plain).slice(4, -1);
}

test("what is not known is not shown", () => {
  expect(block({})).toEqual(["  What      : preflight", "  Message   : 2 obstacles found.", "  Exit code : 6"]);
});

test("every obstacle with its fix", () => {
  const lines = block({
    obstacles: [
      { code: "missing-role", side: "target", message: "no role a", fix: 'CREATE ROLE "a";' },
      { code: "no-select", side: "source", message: "may not read\nt", fix: "GRANT SELECT ON t TO me;" },
    ],
  });
  expect(lines.slice(3)).toEqual([
    "  1. [target] no role a",
    '     Fix: CREATE ROLE "a";',
    "  2. [source] may not read\\nt",
    "     Fix: GRANT SELECT ON t TO me;",
  ]);
});

test("differences as a table, the first hundred of them", () => {
  const difference = { kind: "rows", object: "public.orders", source: "5 rows", target: "not counted" };
  expect(block({ differences: [difference, { ...difference, object: "t" }] }).slice(3)).toEqual([
    "",
    "  WHAT  OBJECT         SOURCE  TARGET",
    "  rows  public.orders  5 rows  not counted",
    "  rows  t              5 rows  not counted",
  ]);
  const many = block({ differences: Array.from({ length: 123 }, () => difference) });
  expect(many).toHaveLength(3 + 2 + 100 + 1);
  expect(many.at(-1)).toBe("  … and 23 more (--json lists them)");
});

test.each([
  ["plain", "plain"],
  ["a\tb\u0000c", "a b c"],
  ["a\r\nb", "a \\nb"],
  ["\u001B[31mred\u007F\u0085", " [31mred  "],
  ["Größe 日本 😀", "Größe 日本 😀"],
])("printable(%j)", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("alignColumns pads all cells but the last", () => {
  expect(
    alignColumns([
      ["a", "bb", "c"],
      ["aaa", "b", ""],
      ["", "", "x"],
    ]),
  ).toEqual(["a    bb  c", "aaa  b", "         x"]);
  expect(alignColumns([])).toEqual([]);
});
