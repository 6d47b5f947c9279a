import { describe, expect, test } from "vitest";

import { makeTable } from "../../tests/house/make.ts";
import { compareCounts, compareInventories } from "./compare.ts";
import type { InventoryItem } from "./inventory.ts";

describe("compareCounts", () => {
  test.each([
    ["equal", { source: 5, target: 5 }, undefined],
    ["both empty", { source: 0, target: 0 }, undefined],
    ["fewer arrived", { source: 5, target: 4 }, ["5 rows", "4 rows"]],
    ["more arrived", { source: 0, target: 4 }, ["0 rows", "4 rows"]],
    ["never counted", undefined, ["not counted", "not counted"]],
    ["not counted on one side", { source: 5, target: -1 }, ["5 rows", "not counted"]],
    ["not counted on either side", { source: -1, target: -1 }, ["not counted", "not counted"]],
  ])("%s", (_what, counts, told) => {
    const table = makeTable({ oid: 7, name: "Orders" });
    const differences = compareCounts([table], new Map(counts ? [[7, counts]] : []));
    expect(differences).toEqual(told ? [{ kind: "rows", object: 'public."Orders"', source: told[0], target: told[1] }] : []);
  });

  test("equal names in different schemas are told apart", () => {
    const tables = [makeTable({ oid: 1, schema: "a", name: "t" }), makeTable({ oid: 2, schema: "b", name: "t" })];
    const counts = new Map([
      [1, { source: 1, target: 1 }],
      [2, { source: 1, target: 0 }],
    ]);
    expect(compareCounts(tables, counts).map(({ object }) => object)).toEqual(["b.t"]);
  });
});

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
