import { describe, expect, test } from "vitest";

import { makeEntry, makeTable } from "../../tests/house/make.ts";
import { makeConstraint, makeIndex, makePlan, taskOf, waitsFor } from "../../tests/house/make-plan.ts";

const LARGE = 64 * 1024 * 1024;

describe("rows", () => {
  test("an empty database: the schema, the sequences, the end", () => {
    expect(makePlan({}).tasks.map(({ id, after }) => [id, after])).toEqual([
      ["pre-data", []],
      ["sequences", ["pre-data"]],
      ["finish", ["sequences"]],
    ]);
  });

  test("each table is copied after the schema, counted and analyzed after its rows", () => {
    const made = makePlan({ tables: [makeTable({ oid: 1, bytes: LARGE }), makeTable({ oid: 2 }), makeTable({ oid: 3 })] });
    expect(taskOf(made, "copy:1")).toMatchObject({ after: ["pre-data"], copies: [{ freeze: true, format: "binary" }] });
    expect(taskOf(made, "copy:2")).toMatchObject({ copies: [{ freeze: false }] });
    expect(taskOf(made, "count:1").after).toEqual(["copy:1"]);
    expect(taskOf(made, "count:2")).toMatchObject({ after: ["copy:2", "copy:3"], object: "2 small tables" });
    expect(taskOf(made, "analyze:1").after).toContain("copy:1");
    expect(waitsFor(made, "analyze:small-0")).toContain("copy:3");
    expect(made.bytes).toBe(LARGE + 2 * 8192);
  });

  test("why text, where binary is not possible", () => {
    const column = (name: string, type: number, generated = false) => ({ name, number: 1, type, generated });
    const made = makePlan({
      tables: [
        makeTable({ oid: 1, columns: [column("a", 23), column("b", 5000)] }),
        makeTable({ oid: 2, columns: [column("a", 23), column("b", 5000, true)] }),
        makeTable({ oid: 3, columns: [] }),
      ],
      binaryObstacle: (type) => (type === 5000 ? "no binary form" : undefined),
    });
    expect(made.copies.map(({ format, formatReason }) => [format, formatReason])).toEqual([
      ["text", "column b: no binary form"],
      ["binary", undefined],
      ["text", "no columns to copy"],
    ]);
  });

  test("a partitioned table has no rows of its own, and is analyzed once from its root", () => {
    const tables = [
      makeTable({ oid: 1, kind: "p", bytes: 0 }),
      makeTable({ oid: 2, kind: "p", bytes: 0, root: 1, parents: [1] }),
      makeTable({ oid: 3, root: 1, parents: [2], bytes: LARGE }),
      makeTable({ oid: 4, root: 1, parents: [1] }),
    ];
    const made = makePlan({ tables });
    expect(made.copies.map(({ id }) => id)).toEqual(["copy:3", "copy:4"]);
    expect(made.tasks.filter(({ kind }) => kind === "analyze").map(({ id }) => id)).toEqual(["analyze:1"]);
    expect(waitsFor(made, "analyze:1")).toEqual(new Set(["pre-data", "copy:3", "copy:4"]));
    expect(taskOf(made, "analyze:1").locks.map(({ key }) => key)).toEqual([1, 2, 4, 3]);
  });

  test("configuration tables of an extension that is skipped stay behind with it", () => {
    const made = makePlan({
      tables: [makeTable({ oid: 1, extension: { name: "postgis", condition: "" } }), makeTable({ oid: 2 })],
      entries: [makeEntry({ dumpId: 1, type: "EXTENSION", name: "postgis" })],
      skipExtensions: ["postgis"],
    });
    expect(made.copies.map(({ id }) => id)).toEqual(["copy:2"]);
    expect(made.skipped.map(({ name }) => name)).toEqual(["postgis"]);
  });

  test("large objects go 200 to a task", () => {
    const object = (oid: number) => ({ oid, owner: "me", grants: [], comment: undefined, labels: [] });
    const made = makePlan({ largeObjects: Array.from({ length: 401 }, (_, i) => object(i + 1)) });
    expect(made.tasks.filter(({ kind }) => kind === "large-objects").map(({ object: name }) => name)).toEqual([
      "large objects 1 to 200",
      "large objects 201 to 400",
      "large objects 401 to 401",
    ]);
  });

  test("sequences are read last: they belong to no snapshot", () => {
    const made = makePlan({ tables: [makeTable({ oid: 1 })], entries: [makeEntry({ dumpId: 1, type: "TRIGGER" })] });
    expect(made.tasks.at(-1)?.id).toBe("finish");
    expect(waitsFor(made, "sequences").size).toBe(made.tasks.length - 2);
  });
});

describe("what waits for the rest", () => {
  test("a view that needs a primary key waits for the ones before it in the script, and what is built on it waits for the view", () => {
    const made = makePlan({
      tables: [makeTable({ oid: 1 })],
      indexes: [makeIndex(50, 1), makeIndex(51, 300)],
      constraints: [makeConstraint({ oid: 70, table: 1, type: "p", index: 50 })],
      matviews: [{ oid: 300, schema: "public", name: "m", populated: true }],
      entries: [
        makeEntry({ dumpId: 1, type: "TABLE", oid: 1 }),
        makeEntry({ dumpId: 2, type: "CONSTRAINT", oid: 70 }),
        makeEntry({ dumpId: 3, type: "MATERIALIZED VIEW", oid: 300, name: "m" }),
        makeEntry({ dumpId: 4, type: "VIEW", oid: 301, name: "on m" }),
        makeEntry({ dumpId: 5, type: "INDEX", oid: 51 }),
        makeEntry({ dumpId: 6, type: "MATERIALIZED VIEW DATA", oid: 300 }),
      ],
    });
    expect(taskOf(made, "postponed:3").after).toEqual(["pre-data", "build:2"]);
    expect(taskOf(made, "postponed:4").after).toContain("postponed:3");
    expect(taskOf(made, "build:5").after).toContain("postponed:3");
    expect(waitsFor(made, "refresh:6")).toContain("build:5");
  });

  test("triggers come after all rows and builds, privileges after them, materialized views after those", () => {
    const made = makePlan({
      tables: [makeTable({ oid: 1 })],
      indexes: [makeIndex(50, 1)],
      matviews: [{ oid: 300, schema: "public", name: "m", populated: true }],
      entries: [
        makeEntry({ dumpId: 1, type: "INDEX", oid: 50 }),
        makeEntry({ dumpId: 2, type: "TRIGGER" }),
        makeEntry({ dumpId: 3, type: "ACL" }),
        makeEntry({ dumpId: 4, type: "MATERIALIZED VIEW DATA", oid: 300 }),
        makeEntry({ dumpId: 5, type: "EVENT TRIGGER" }),
        makeEntry({ dumpId: 6, type: "STATISTICS" }),
      ],
    });
    expect(waitsFor(made, "rest")).toEqual(new Set(["pre-data", "copy:1", "statistics", "build:1", "count:1"]));
    expect(waitsFor(made, "privileges")).toContain("rest");
    expect(waitsFor(made, "refresh:4")).toContain("privileges");
    expect(waitsFor(made, "analyze:300")).toContain("refresh:4");
    expect(waitsFor(made, "finish")).toContain("refresh:4");
  });

  test("a materialized view waits for the ones it reads", () => {
    const made = makePlan({
      matviews: [
        { oid: 300, schema: "public", name: "a", populated: true },
        { oid: 301, schema: "public", name: "b", populated: true },
      ],
      entries: [
        makeEntry({ dumpId: 8, type: "MATERIALIZED VIEW DATA", oid: 301, dependencies: [8, 9, 77] }),
        makeEntry({ dumpId: 9, type: "MATERIALIZED VIEW DATA", oid: 300 }),
      ],
    });
    expect(taskOf(made, "refresh:8").after).toEqual(["pre-data", "refresh:9"]);
    expect(taskOf(made, "refresh:9").after).toEqual(["pre-data"]);
  });
});

describe("some tables only", () => {
  // 1 (child) refers to 2 (parent)
  const tables = [makeTable({ oid: 1 }), makeTable({ oid: 2 })];
  const parts = {
    tables,
    constraints: [makeConstraint({ oid: 71, table: 1, type: "f" as const, refTable: 2 })],
    entries: [makeEntry({ dumpId: 8, type: "FK CONSTRAINT", oid: 71 })],
  };

  test.each([
    ["both", [1, 2], false],
    ["the child alone: its rows would miss the parent's", [1], true],
    ["the parent alone", [2], false],
    ["neither", [], false],
  ])("%s", (_what, selected, partial) => {
    const made = makePlan({ ...parts, selected: new Set(selected) });
    expect(taskOf(made, "build:8")).toMatchObject({ partial });
    expect(taskOf(made, "build:8").after).toEqual([...selected.map((oid) => `copy:${oid}`), "pre-data"]);
    expect(made.unselected.map(({ oid }) => oid)).toEqual([1, 2].filter((oid) => !selected.includes(oid)));
    expect(made.tasks.filter(({ kind }) => kind === "count")).toHaveLength(selected.length > 0 ? 1 : 0);
  });

  test("a partition that stays behind makes keys into the partitioned table partial", () => {
    const partitions = [
      makeTable({ oid: 1 }),
      makeTable({ oid: 2, kind: "p" }),
      makeTable({ oid: 3, root: 2, parents: [2] }),
      makeTable({ oid: 4, root: 2, parents: [2] }),
    ];
    expect(taskOf(makePlan({ ...parts, tables: partitions, selected: new Set([1, 2, 3]) }), "build:8")).toMatchObject({ partial: true });
    expect(taskOf(makePlan({ ...parts, tables: partitions, selected: new Set([1, 2, 3, 4]) }), "build:8")).toMatchObject({
      partial: false,
    });
  });
});
