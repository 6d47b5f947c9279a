import { describe, expect, test } from "vitest";

import { makeTable } from "../../tests/house/make.ts";
import { makeIndex, makePlan, taskOf } from "../../tests/house/make-plan.ts";
import { listEntries } from "./dump-entries.ts";

const MB = 1024 ** 2;

describe("entries of a dump folder", () => {
  test("one a table, one for a partitioned table with its partitions; the largest first", () => {
    const tables = [
      makeTable({ oid: 1, name: "orders", bytes: 5 * MB }),
      makeTable({ oid: 2, name: "logs", kind: "p", bytes: 0 }),
      makeTable({ oid: 3, name: "logs_1", root: 2, parents: [2], bytes: 4 * MB }),
      makeTable({ oid: 4, name: "logs_2", root: 2, parents: [2], bytes: 4 * MB }),
      makeTable({ oid: 5, name: "Büro / x", bytes: 1 }),
    ];
    const entries = listEntries(makePlan({ tables, streams: 1 }).copies, tables, "directory");
    expect(entries).toEqual([
      { path: "public.logs-2.dir", object: "public.logs", detail: "Partitioned (2 parts)", tables: [3, 4], bytes: 8 * MB },
      { path: "public.orders-1.dir", object: "public.orders", detail: "Standard Table", tables: [1], bytes: 5 * MB },
      { path: "public._B_ro_x_-5.dir", object: 'public."Büro / x"', detail: "Standard Table", tables: [5], bytes: 1 },
    ]);
    expect(listEntries(makePlan({ tables }).copies, tables, "custom")[1]?.path).toBe("public.orders-1.dump");
  });

  test("of many, small ones share: no table is lost, none is in two, and a tree stays together", () => {
    const small = Array.from({ length: 230 }, (_, i) => makeTable({ oid: 100 + i, name: `t${i}`, bytes: 1000 }));
    const tables = [makeTable({ oid: 1, name: "large", bytes: 50 * MB }), ...small];
    const entries = listEntries(makePlan({ tables, streams: 1 }).copies, tables, "directory");
    expect(entries.map(({ detail }) => detail)).toEqual([
      "Standard Table",
      "Small Tables (100)",
      "Small Tables (100)",
      "Small Tables (30)",
    ]);
    expect(entries.flatMap((entry) => entry.tables).toSorted((a, b) => a - b)).toEqual(tables.map(({ oid }) => oid));
    const thousands = Array.from({ length: 12_000 }, (_, i) => makeTable({ oid: i + 1, name: `t${i}` }));
    expect(listEntries(makePlan({ tables: thousands, streams: 1 }).copies, thousands, "directory")).toHaveLength(40);
  });
});

describe("the plan of an import", () => {
  const tables = [makeTable({ oid: 1, name: "a", bytes: 9 * MB }), makeTable({ oid: 2, name: "b" })];
  const { copies } = makePlan({ tables, streams: 1 });
  const entries = listEntries(copies, tables, "directory");
  const dumped = { entries, sequences: [], atOnce: 2 };

  test("rows come by pg_restore, and nothing asks for the source", () => {
    const made = makePlan({ tables, streams: 1, indexes: [makeIndex(9, 1)], dumped });
    expect(taskOf(made, "import:public.a-1.dir")).toMatchObject({ kind: "import", after: ["pre-data"], copies: [{ table: { oid: 1 } }] });
    expect(made.tasks.map(({ kind }) => kind)).not.toContain("copy");
    expect(taskOf(made, "count:1")).toMatchObject({ after: ["import:public.a-1.dir"], sides: ["target"] });
    expect(taskOf(made, "sequences")).toMatchObject({ values: [] });
  });

  test("so many at once as are allowed", () => {
    const locks = taskOf(makePlan({ tables, streams: 1, dumped }), "import:public.b-2.dir").locks;
    expect(locks).toContainEqual({ key: "import", exclusive: false, most: 2 });
  });

  test("an entry whose tables were left out since is left out", () => {
    const made = makePlan({ tables, streams: 1, selected: new Set([1]), dumped });
    expect(made.tasks.filter(({ kind }) => kind === "import").map(({ id }) => id)).toEqual(["import:public.a-1.dir"]);
  });
});
