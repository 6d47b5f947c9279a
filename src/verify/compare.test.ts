import { describe, expect, test } from "vitest";

import { compareInventories } from "./compare.ts";
import type { InventoryItem } from "./inventory.ts";

describe("compareInventories", () => {
  const item = (object: string, state = "valid", kind = "index"): InventoryItem => ({ kind, object, state, oid: 0 });
  const compare = (source: InventoryItem[], target: InventoryItem[], expected: (item: InventoryItem) => boolean = () => false) =>
    compareInventories(source, target, expected).map(({ kind, object, source: there, target: here }) => [kind, object, there, here]);

  test.each([
    ["the same", [item("a")], [item("a")], []],
    ["the same in another order", [item("a"), item("b")], [item("b"), item("a")], []],
    ["another state", [item("a", "valid unique")], [item("a", "INVALID unique")], [["index", "a", "valid unique", "INVALID unique"]]],
    ["missing on the target", [item("a")], [], [["index", "a", "valid", "missing"]]],
    ["only on the target", [], [item("a")], [["index", "a", "missing", "valid"]]],
    ["without a state", [item("s", "", "schema")], [], [["schema", "s", "there", "missing"]]],
    ["without a state, only on the target", [], [item("s", "", "schema")], [["schema", "s", "missing", "there"]]],
    ["a state that was lost", [item("a", "enabled")], [item("a", "")], [["index", "a", "enabled", "there"]]],
    [
      "equal names of different kinds",
      [item("a", "x", "table"), item("a", "x", "type")],
      [item("a", "x", "table")],
      [["type", "a", "x", "missing"]],
    ],
  ])("%s", (_what, source, target, differences) => {
    expect(compare(source, target)).toEqual(differences);
  });

  test("what was left out on purpose is no difference, and nothing else is forgiven with it", () => {
    const leftOut = ({ object }: InventoryItem): boolean => object === "a";
    expect(compare([item("a"), item("b")], [], leftOut)).toEqual([["index", "b", "valid", "missing"]]);
    expect(compare([], [item("a"), item("c")], leftOut)).toEqual([["index", "c", "missing", "valid"]]);
  });
});
