import { describe, expect, test } from "vitest";

import { makeTable } from "../../tests/house/make.ts";
import { shapeKey, type TableShape } from "../catalog/table-shapes.ts";
import { matchTables } from "./match-tables.ts";
import { buildReloadPlan } from "./reload-plan.ts";

const TOP = makeTable({ oid: 1, name: "top", kind: "p" });
const LEAVES = [2, 3].map((oid) => makeTable({ oid, root: 1, parents: [1] }));
const TABLES = [TOP, ...LEAVES, makeTable({ oid: 4 })];
const ALL = new Set([1, 2, 3, 4]);

type Given = Partial<TableShape> & { name: string };

function shapes(...given: Given[]): Map<string, TableShape> {
  return new Map(
    given.map((parts, i) => {
      const shape = {
        oid: 100 + i,
        schema: "public",
        kind: "r",
        parent: undefined,
        bound: undefined,
        partitionedBy: undefined,
        columns: [],
        ...parts,
      };
      return [shapeKey(shape), shape];
    }),
  );
}

const TOP_KEY = shapeKey(TOP);
const top: Given = { name: "top", kind: "p", partitionedBy: "RANGE (at)" };
const leaf = (name: string, bound: string): Given => ({ name, parent: TOP_KEY, bound });
const SOURCE = shapes(top, leaf("t2", "2025"), leaf("t3", "2026"), { name: "t4" });

function plan(target: Map<string, TableShape>, selected: ReadonlySet<number> = ALL, atomic = false) {
  const { tables, throughTop, obstacles } = matchTables(TABLES, selected, { source: SOURCE, target });
  const input = { tables, selected, shapes: target, binaryObstacle: () => undefined, rowHash: undefined, sequences: [], atomic, steps: [] };
  const copies = buildReloadPlan(input).rows.copies.map(
    ({ object, replaces, freeze }) => `${object} ${replaces ?? "-"}${freeze ? " freeze" : ""}`,
  );
  return { copies, through: throughTop.map(({ name }) => name), obstacles: obstacles.map(({ message }) => message) };
}

describe("partitions", () => {
  test("of the same place go one by one, whatever else the target has", () => {
    const target = shapes(top, leaf("t2", "2025"), leaf("t3", "2026"), leaf("t9", "2030"), { name: "t4" });
    expect(plan(target)).toEqual({ copies: ["public.t2 table", "public.t3 table", "public.t4 table"], through: [], obstacles: [] });
    expect(plan(target, new Set([3]))).toEqual({ copies: ["public.t3 table"], through: [], obstacles: [] });
    expect(plan(target, ALL, true).copies).toEqual(["public.t2 -", "public.t3 -", "public.t4 -"]);
  });

  test.each([
    ["another bound", shapes(top, leaf("t2", "2025"), leaf("t3", "2027"), { name: "t4" })],
    ["one missing", shapes(top, leaf("t2", "2025"), { name: "t4" })],
    ["another key", shapes({ ...top, partitionedBy: "LIST (at)" }, leaf("t2", "2025"), leaf("t3", "2026"), { name: "t4" })],
  ])("%s: the tree goes through its top, as a whole or not at all", (_what, target) => {
    expect(plan(target)).toEqual({ copies: ["public.t4 table", "public.top tree"], through: ["top"], obstacles: [] });
    // only those that are selected count
    expect(plan(target, new Set([2, 3])).obstacles).toEqual([]);
    const half = plan(target, new Set([3]));
    expect(half.obstacles).toEqual(["public.top has other partitions on the target, so that a part of its rows cannot be replaced alone."]);
  });

  test("none there: into the plain table; there only: the whole tree is emptied", () => {
    expect(plan(shapes({ name: "top" }, { name: "t4" })).copies).toEqual(["public.t4 table", "public.top table"]);
    expect(plan(shapes({ name: "t4", kind: "p" }), new Set([4])).copies).toEqual(["public.t4 tree"]);
  });

  test("a table of its own on the source, below a tree that is emptied as a whole: refused, selected or not", () => {
    const target = shapes({ name: "t4", kind: "p" }, { name: "mid", kind: "p", parent: shapeKey({ schema: "public", name: "t4" }) }, top, {
      name: "t2",
      parent: shapeKey({ schema: "public", name: "mid" }),
    });
    const tables = [makeTable({ oid: 4 }), makeTable({ oid: 2 })];
    for (const selected of [ALL, new Set([4])]) {
      const { obstacles } = matchTables(tables, selected, { source: shapes({ name: "t4" }, { name: "t2" }), target });
      expect(obstacles.map(({ message }) => message)).toEqual([
        "public.t2 is a partition of public.t4 on the target and not on the source: replacing all rows of public.t4 would empty it too.",
      ]);
    }
    expect(matchTables(tables, new Set([2]), { source: shapes({ name: "t4" }, { name: "t2" }), target }).obstacles).toEqual([]);
  });

  test("a foreign one below would be emptied on another server", () => {
    const target = shapes(top, leaf("t2", "2025"), { ...leaf("t3", "2027"), kind: "f" }, { name: "t4" });
    expect(plan(target).obstacles.join()).toContain("some of them are foreign tables");
    const split = shapes({ name: "t4", kind: "p" }, { name: "far", kind: "f", parent: shapeKey({ schema: "public", name: "t4" }) });
    expect(plan(split, new Set([4])).obstacles.join()).toContain("some of them are foreign tables");
    expect(plan(split, new Set([2])).obstacles.join()).not.toContain("t4");
  });
});
