import { describe, expect, test } from "vitest";

import { makeTable } from "../../tests/house/make.ts";
import { compareCounts, compareRows } from "./compare-rows.ts";

describe("compareCounts", () => {
  const same = { source: 5n, target: 5n };
  test.each([
    ["equal", { source: 5, target: 5 }, undefined],
    ["both empty", { source: 0, target: 0 }, undefined],
    ["fewer arrived", { source: 5, target: 4 }, ["rows", "5 rows", "4 rows"]],
    ["more arrived", { source: 0, target: 4 }, ["rows", "0 rows", "4 rows"]],
    ["never counted", undefined, ["rows", "not counted", "not counted"]],
    ["not counted on one side", { source: 5, target: -1 }, ["rows", "5 rows", "not counted"]],
    ["not counted on either side", { source: -1, target: -1 }, ["rows", "not counted", "not counted"]],
    ["equal sums, and other numbers of rows", { source: 5, target: 4, sums: same }, ["rows", "5 rows", "4 rows"]],
  ])("%s", (_what, counts, told) => {
    const table = makeTable({ oid: 7, name: "Orders" });
    const [kind, source, target] = told ?? [];
    expect(compareCounts(table, counts)).toEqual(told && { kind, object: 'public."Orders"', source, target });
  });

  test.each([
    ["equal", { source: 5, target: 5, sums: { source: -7n, target: -7n } }, undefined],
    ["empty", { source: 0, target: 0, sums: { source: 0n, target: 0n } }, undefined],
    ["another", { source: 5, target: 5, sums: { source: -1n, target: 16n } }, ["ffffffffffffffff", "0000000000000010"]],
    ["above 64 bits", { source: 5, target: 5, sums: { source: 2n ** 64n, target: 2n ** 65n } }, ["0000000000000000", "0000000000000000"]],
    ["counted, but not hashed", { source: 5, target: 5 }, ["not read", "not read"]],
  ])("checksums: %s", (_what, counts, told) => {
    const [source, target] = told ?? [];
    expect(compareCounts(makeTable({ oid: 7, name: "t" }), counts, true)).toEqual(
      told && { kind: "checksum", object: "public.t", source, target },
    );
  });
});

test("equal names in different schemas are told apart", async () => {
  const tables = [makeTable({ oid: 1, schema: "a", name: "t" }), makeTable({ oid: 2, schema: "b", name: "t" })];
  const counts = new Map([
    [1, { source: 1, target: 1 }],
    [2, { source: 1, target: 0 }],
  ]);
  const differences = await compareRows(tables, counts, { rowHash: undefined, ends: undefined, signal: new AbortController().signal });
  expect(differences.map(({ object }) => object)).toEqual(["b.t"]);
});
