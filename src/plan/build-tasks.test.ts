import { describe, expect, test } from "vitest";

import { makeEntry, makeTable } from "../../tests/house/make.ts";
import { makeConstraint, makeIndex, makePlan, taskOf } from "../../tests/house/make-plan.ts";
import { seededRandom } from "../../tests/house/random.ts";
import { buildGraph } from "../scheduler/graph.ts";

const LARGE = 64 * 1024 * 1024;

describe("indexes and constraints", () => {
  const tables = [makeTable({ oid: 1, bytes: LARGE }), makeTable({ oid: 2 })];

  test("an index waits for its own table's rows only, and lets others be built beside it", () => {
    const made = makePlan({ tables, indexes: [makeIndex(50, 1)], entries: [makeEntry({ dumpId: 9, type: "INDEX", oid: 50 })] });
    expect(taskOf(made, "build:9")).toMatchObject({ kind: "index", locks: [{ key: 1, exclusive: false }], object: "public.e9" });
    expect(new Set(taskOf(made, "build:9").after)).toEqual(new Set(["pre-data", "copy:1"]));
    // statistics of expressions need the index
    expect(taskOf(made, "analyze:1").after).toContain("build:9");
  });

  test("an index that alters its table too (CLUSTER, REPLICA IDENTITY) keeps the table to itself", () => {
    const sql = "CREATE INDEX i50 ON public.t1 USING btree (id);\n\nALTER TABLE public.t1 CLUSTER ON i50;";
    const made = makePlan({ tables, indexes: [makeIndex(50, 1)], entries: [makeEntry({ dumpId: 9, type: "INDEX", oid: 50, sql })] });
    expect(taskOf(made, "build:9").locks).toEqual([{ key: 1, exclusive: true }]);
  });

  test("a primary key keeps its table to itself", () => {
    const made = makePlan({
      tables,
      indexes: [makeIndex(50, 1)],
      constraints: [makeConstraint({ oid: 70, table: 1, type: "p", index: 50 })],
      entries: [makeEntry({ dumpId: 9, type: "CONSTRAINT", oid: 70 })],
    });
    expect(taskOf(made, "build:9")).toMatchObject({ kind: "constraint", locks: [{ key: 1, exclusive: true }] });
    expect(new Set(taskOf(made, "build:9").after)).toEqual(new Set(["pre-data", "copy:1"]));
  });

  test("a foreign key waits for the rows of both tables and for the unique index it refers to", () => {
    const made = makePlan({
      tables,
      indexes: [makeIndex(50, 2)],
      constraints: [
        makeConstraint({ oid: 70, table: 2, type: "p", index: 50 }),
        makeConstraint({ oid: 71, table: 1, type: "f", refTable: 2, refIndex: 50 }),
      ],
      entries: [makeEntry({ dumpId: 8, type: "FK CONSTRAINT", oid: 71 }), makeEntry({ dumpId: 9, type: "CONSTRAINT", oid: 70 })],
    });
    const key = taskOf(made, "build:8");
    expect(key).toMatchObject({ kind: "foreign-key", partial: false });
    expect(new Set(key.after)).toEqual(new Set(["pre-data", "copy:1", "copy:2", "build:9"]));
    expect(key.locks.map(({ key: table, exclusive }) => [table, exclusive])).toEqual([
      [1, true],
      [2, true],
    ]);
    // it makes no index: ANALYZE need not wait for it
    expect(taskOf(made, "analyze:1").after).not.toContain("build:8");
  });

  test("a table that refers to itself is locked once", () => {
    const made = makePlan({
      tables,
      constraints: [makeConstraint({ oid: 71, table: 1, type: "f", refTable: 1 })],
      entries: [makeEntry({ dumpId: 8, type: "FK CONSTRAINT", oid: 71 })],
    });
    expect(taskOf(made, "build:8").locks).toEqual([{ key: 1, exclusive: true }]);
  });
});

describe("partitions", () => {
  // 1 is partitioned into 2 (again partitioned into 3) and 4; 9 refers to 1
  const tables = [
    makeTable({ oid: 1, kind: "p", bytes: 0 }),
    makeTable({ oid: 2, kind: "p", bytes: 0, root: 1, parents: [1] }),
    makeTable({ oid: 3, root: 1, parents: [2] }),
    makeTable({ oid: 4, root: 1, parents: [1] }),
    makeTable({ oid: 9 }),
  ];
  const made = makePlan({
    tables,
    indexes: [makeIndex(51, 1), makeIndex(52, 2, 51), makeIndex(53, 3, 52), makeIndex(54, 4, 51), makeIndex(60, 4)],
    constraints: [
      ...[51, 52, 53, 54].map((oid) => makeConstraint({ oid: oid + 20, table: oid - 50, type: "p", index: oid })),
      makeConstraint({ oid: 80, table: 9, type: "f", refTable: 1, refIndex: 51 }),
    ],
    entries: [
      ...[51, 52, 53, 54].map((oid) => makeEntry({ dumpId: oid, type: "CONSTRAINT", oid: oid + 20 })),
      makeEntry({ dumpId: 60, type: "INDEX", oid: 60 }),
      makeEntry({ dumpId: 90, type: "INDEX ATTACH", name: "i52" }),
      makeEntry({ dumpId: 91, type: "INDEX ATTACH", name: "i53" }),
      makeEntry({ dumpId: 92, type: "INDEX ATTACH", name: "i54" }),
      makeEntry({ dumpId: 95, type: "FK CONSTRAINT", oid: 80 }),
    ],
  });

  test("an index of a partitioned table waits for the rows of all its partitions, a partition's for its own", () => {
    expect(new Set(taskOf(made, "build:51").after)).toEqual(new Set(["pre-data", "copy:3", "copy:4"]));
    expect(new Set(taskOf(made, "builds:54").after)).toEqual(new Set(["pre-data", "copy:4"]));
  });

  test("the indexes of one tree are attached together, in pg_dump's order, when all are there", () => {
    expect(made.tasks.filter(({ id }) => id.startsWith("attach:")).map(({ id }) => id)).toEqual(["attach:51"]);
    const attach = taskOf(made, "attach:51");
    expect(attach.kind === "statements" && attach.entries.map(({ dumpId }) => dumpId)).toEqual([90, 91, 92]);
    expect(new Set(attach.after)).toEqual(new Set(["pre-data", "build:51", "builds:52", "builds:54"]));
  });

  test("a foreign key to a partitioned table waits until its index is whole, and locks every partition", () => {
    expect(new Set(taskOf(made, "build:95").after)).toEqual(new Set(["pre-data", "copy:3", "copy:4", "copy:9", "build:51", "attach:51"]));
    expect(new Set(taskOf(made, "build:95").locks.map(({ key }) => key))).toEqual(new Set([9, 1, 2, 3, 4]));
  });

  test("an index that is not found by its name waits for all of them", () => {
    const lost = makePlan({
      tables,
      indexes: [makeIndex(51, 1), makeIndex(54, 4, 51)],
      entries: [
        makeEntry({ dumpId: 51, type: "INDEX", oid: 51 }),
        makeEntry({ dumpId: 54, type: "INDEX", oid: 54 }),
        makeEntry({ dumpId: 92, type: "INDEX ATTACH", name: "another name" }),
      ],
    });
    expect(new Set(taskOf(lost, "attach:0").after)).toEqual(new Set(["pre-data", "build:51", "build:54"]));
  });

  test("pg_dump prints a line break in a name as a blank", () => {
    const broken = makePlan({
      tables,
      indexes: [makeIndex(51, 1), { ...makeIndex(54, 4, 51), name: "a\nb" }],
      entries: [makeEntry({ dumpId: 54, type: "INDEX", oid: 54 }), makeEntry({ dumpId: 92, type: "INDEX ATTACH", name: "a b" })],
    });
    expect(taskOf(broken, "attach:51").after).toContain("build:54");
  });

  test("where two names print the same, the attachment waits for either", () => {
    const alike = makePlan({
      tables,
      indexes: [makeIndex(51, 1), { ...makeIndex(54, 4, 51), name: "a\nb" }, { ...makeIndex(55, 9), name: "a b" }],
      entries: [
        makeEntry({ dumpId: 54, type: "INDEX", oid: 54 }),
        makeEntry({ dumpId: 55, type: "INDEX", oid: 55 }),
        makeEntry({ dumpId: 92, type: "INDEX ATTACH", name: "a b" }),
      ],
    });
    expect(new Set(taskOf(alike, "attach:0").after)).toEqual(new Set(["pre-data", "build:54", "build:55"]));
  });
});

test("whatever the catalog, the plan is a graph: no cycle, no unknown id, none twice", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seededRandom(seed);
    const tables = Array.from({ length: 1 + random.int(12) }, (_, i) => {
      const parent = i > 0 && random.chance(0.4) ? 1 + random.int(i) : undefined;
      return makeTable({
        oid: i + 1,
        kind: random.chance(0.3) ? "p" : "r",
        bytes: random.pick([0, LARGE]),
        parents: parent ? [parent] : [],
      });
    });
    const tableOid = (): number => 1 + random.int(tables.length);
    const indexes = Array.from({ length: random.int(15) }, (_, i) =>
      makeIndex(100 + i, tableOid(), i > 0 && random.chance(0.4) ? 100 + random.int(i) : undefined),
    );
    const constraints = Array.from({ length: random.int(10) }, (_, i) => {
      const type = random.pick(["p", "u", "f", "c"]);
      const unique = 100 + random.int(15);
      const facts = type === "f" ? { refTable: tableOid(), refIndex: unique } : { index: type === "c" ? 0 : unique };
      return makeConstraint({ oid: 200 + i, table: tableOid(), type, ...facts });
    });
    let dumpId = 0;
    const entry = (type: string, oid = 0, name?: string) =>
      makeEntry({ dumpId: (dumpId += 1), type, oid, ...(name === undefined ? {} : { name }) });
    const entries = [
      ...indexes.map(({ oid }) => entry("INDEX", oid)),
      ...constraints.map(({ oid, type }) => entry(type === "f" ? "FK CONSTRAINT" : "CONSTRAINT", oid)),
      ...indexes.filter(({ parent }) => parent !== undefined).map(({ name }) => entry("INDEX ATTACH", 0, name)),
      ...Array.from({ length: random.int(4) }, () => entry(random.pick(["VIEW", "TRIGGER", "ACL", "STATISTICS", "COMMENT"]))),
    ];
    const selected = new Set(tables.filter(() => random.chance(0.8)).map(({ oid }) => oid));
    const made = makePlan({ tables, selected, indexes, constraints, entries });
    expect(() => buildGraph(made.tasks), `seed ${seed}`).not.toThrow();
    const told = made.tasks.flatMap((task) => ("entries" in task ? task.entries : "entry" in task ? [task.entry] : []));
    expect(told.length, `seed ${seed}: every entry is in one task`).toBe(entries.length);
  }
});
