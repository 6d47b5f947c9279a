import { describe, expect, test } from "vitest";

import type { KeptRange } from "./split-table.ts";
import { makeEntry, makeTable } from "../../tests/house/make.ts";
import { makeConstraint, makeIndex, makePlan, taskOf, waitsFor } from "../../tests/house/make-plan.ts";

const LARGE = 64 * 1024 * 1024;

describe("small and large tables", () => {
  const MB = 1024 * 1024;

  test("many small tables share tasks, and so do their indexes; who waits for one waits for its group", () => {
    const tables = Array.from({ length: 100 }, (_, i) => makeTable({ oid: i + 1 }));
    const made = makePlan({
      tables,
      indexes: tables.map(({ oid }) => makeIndex(1000 + oid, oid)),
      constraints: [
        ...tables.map(({ oid }) => makeConstraint({ oid: 2000 + oid, table: oid, type: "p", index: 1000 + oid })),
        makeConstraint({ oid: 3000, table: 1, type: "f", refTable: 100, refIndex: 1100 }),
      ],
      entries: [
        ...tables.map(({ oid }) => makeEntry({ dumpId: oid, type: "CONSTRAINT", oid: 2000 + oid })),
        makeEntry({ dumpId: 500, type: "FK CONSTRAINT", oid: 3000 }),
      ],
    });
    const copies = made.tasks.filter(({ kind }) => kind === "copy");
    expect(copies.length).toBe(15);
    expect(copies.flatMap((task) => (task.kind === "copy" ? task.copies.map(({ id }) => id) : []))).toEqual(
      tables.map(({ oid }) => `copy:${oid}`),
    );
    const builds = made.tasks.filter(({ kind }) => kind === "small-builds");
    expect(builds.flatMap((task) => (task.kind === "small-builds" ? task.entries : [])).length).toBe(100);
    expect(taskOf(made, "build:500").after).toContain("builds:99");
    expect(waitsFor(made, "build:500")).toContain("copies:99");
  });

  test("a table that would keep one worker busy alone goes in ranges, beside each other, without FREEZE", () => {
    const tables = [makeTable({ oid: 1, bytes: 1024 * MB }), makeTable({ oid: 2, bytes: 100 * MB })];
    const made = makePlan({ tables, streams: 2 });
    const ranges = made.copies.filter(({ table }) => table.oid === 1);
    expect(ranges.map(({ id }) => id)).toEqual(["copy:1/0-32768", "copy:1/32768-65536", "copy:1/65536-98304", "copy:1/98304-"]);
    expect(ranges.map(({ range }) => [range?.from, range?.to])).toEqual([
      [0, 32768],
      [32768, 65536],
      [65536, 98304],
      [98304, undefined],
    ]);
    expect(ranges.every(({ freeze }) => !freeze)).toBe(true);
    expect(taskOf(made, "copy:1/32768-65536").locks).toEqual([{ key: 1, exclusive: false }]);
    expect(waitsFor(made, "count:1")).toEqual(new Set(["pre-data", ...ranges.map(({ id }) => id)]));
    expect(made.copies.find(({ table }) => table.oid === 2)).toMatchObject({ range: undefined, freeze: true });
  });

  test.each([
    ["one stream", { streams: 1 }, {}],
    ["a source that would read the whole table for each range", { rangeScans: false }, {}],
    ["rows of an extension", {}, { extension: { name: "e", condition: "" } }],
  ])("%s: whole", (_why, parts, table) => {
    const made = makePlan({ tables: [makeTable({ oid: 1, bytes: 1024 * MB, ...table })], ...parts });
    expect(made.copies.map(({ range }) => range)).toEqual([undefined]);
  });

  test("a small heap with much TOAST is split by its blocks, and never into more ranges than it has", () => {
    const made = makePlan({ tables: [makeTable({ oid: 1, bytes: 1024 * MB, blocks: 3 })] });
    expect(made.copies.map(({ range }) => [range?.from, range?.to])).toEqual([
      [0, 1],
      [1, 2],
      [2, undefined],
    ]);
  });

  test("what an earlier run has copied of a table stays as it is; the rest is what lies between and behind", () => {
    const table = makeTable({ oid: 1, bytes: 1024 * MB });
    const rangesOf = (kept: readonly KeptRange[]) =>
      makePlan({ tables: [table], streams: 1, kept: new Map([[1, kept]]) }).copies.map(({ id, range }) => [id, range?.number, range?.of]);
    expect(rangesOf(["whole"])).toEqual([["copy:1", undefined, undefined]]);
    expect(
      rangesOf([
        { from: 64, to: 128 },
        { from: 0, to: 32 },
      ]),
    ).toEqual([
      ["copy:1/0-32", 1, 4],
      ["copy:1/32-64", 2, 4],
      ["copy:1/64-128", 3, 4],
      ["copy:1/128-", 4, 4],
    ]);
    expect(rangesOf([{ from: 64, to: undefined }])).toEqual([
      ["copy:1/0-64", 1, 2],
      ["copy:1/64-", 2, 2],
    ]);
  });

  test("the journal goes at the very end, with what can only come behind it: event triggers", () => {
    const made = makePlan({ tables: [makeTable({ oid: 1 })], entries: [makeEntry({ dumpId: 5, type: "EVENT TRIGGER" })] });
    expect(taskOf(made, "finish")).toMatchObject({ entries: [{ dumpId: 5 }] });
    expect(waitsFor(made, "finish").size).toBe(made.tasks.length - 1);
  });
});

describe("keys of large tables", () => {
  const tables = [1, 2, 3].map((oid) => makeTable({ oid, bytes: LARGE }));
  const sql = (name: string, what: string) => `ALTER TABLE ONLY public.t1\n    ADD CONSTRAINT ${name} ${what};\n`;
  const primary = {
    indexes: [{ ...makeIndex(50, 1), definition: "CREATE UNIQUE INDEX i50 ON public.t1 USING btree (id)" }, makeIndex(51, 1)],
    constraints: [makeConstraint({ oid: 70, table: 1, type: "p", index: 50, deferrable: true, deferred: true })],
    entries: [
      makeEntry({ dumpId: 9, type: "CONSTRAINT", oid: 70, sql: sql("c70", "PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED") }),
      makeEntry({ dumpId: 8, type: "INDEX", oid: 51 }),
    ],
  };

  test("a primary key beside another index: its index first, which lets the other be built, then the constraint", () => {
    const made = makePlan({ tables, ...primary });
    expect(taskOf(made, "index:9")).toMatchObject({ kind: "index", locks: [{ key: 1, exclusive: false }] });
    expect(taskOf(made, "build:9")).toMatchObject({
      after: expect.arrayContaining(["index:9"]),
      entry: { sql: 'ALTER TABLE ONLY "public"."t1" ADD CONSTRAINT "c70" PRIMARY KEY USING INDEX "i50" DEFERRABLE INITIALLY DEFERRED;' },
    });
  });

  test.each([
    ["the only index of its table", { entries: primary.entries.slice(0, 1) }],
    [
      "one that other statements follow",
      {
        entries: primary.entries.map((entry) => ({ ...entry, sql: `${entry.sql}ALTER TABLE public.t1 CLUSTER ON i50;` })),
      },
    ],
    ["one without a plain definition", { indexes: [makeIndex(50, 1), makeIndex(51, 1)] }],
  ])("%s: in one step", (_what, parts) => {
    const made = makePlan({ tables, ...primary, ...parts });
    expect(made.tasks.some(({ id }) => id === "index:9")).toBe(false);
    expect(taskOf(made, "build:9").locks).toEqual([{ key: 1, exclusive: true }]);
  });

  test("two large foreign keys to one table are validated beside each other; a sole one, or one that is NOT VALID, is one step", () => {
    const key = (oid: number, table: number, validated = true) =>
      makeConstraint({ oid, table, type: "f", refTable: 3, name: `k${oid}`, validated });
    const entry = (dumpId: number, oid: number) =>
      makeEntry({ dumpId, type: "FK CONSTRAINT", oid, sql: sql(`k${oid}`, "FOREIGN KEY (a) REFERENCES public.t3(id)") });
    const both = makePlan({ tables, constraints: [key(70, 1), key(71, 2)], entries: [entry(8, 70), entry(9, 71)] });
    expect(taskOf(both, "build:8")).toMatchObject({ entry: { sql: expect.stringMatching(/REFERENCES public\.t3\(id\) NOT VALID;$/) } });
    expect(taskOf(both, "validate:8")).toMatchObject({
      after: ["build:8"],
      locks: [
        { key: 1, exclusive: true },
        { key: 3, exclusive: false },
      ],
      entry: { sql: 'ALTER TABLE "public"."t1" VALIDATE CONSTRAINT "k70";' },
    });
    const sole = makePlan({ tables, constraints: [key(70, 1)], entries: [entry(8, 70)] });
    expect(sole.tasks.some(({ id }) => id.startsWith("validate:"))).toBe(false);
    const unproven = makePlan({ tables, constraints: [key(70, 1, false), key(71, 2)], entries: [entry(8, 70), entry(9, 71)] });
    expect(unproven.tasks.filter(({ id }) => id.startsWith("validate:")).map(({ id }) => id)).toEqual(["validate:9"]);
  });
});

describe("hundreds of tables", () => {
  const MB = 1024 * 1024;
  const tables = Array.from({ length: 600 }, (_, i) =>
    makeTable({ oid: i + 1, bytes: i === 500 ? 900 * MB : 8192, ...(i === 7 ? { root: 1 } : {}) }),
  );
  const made = makePlan({
    tables,
    entries: [
      makeEntry({ dumpId: 9000, type: "SCHEMA" }),
      ...tables.map(({ oid }) => makeEntry({ dumpId: oid, type: "TABLE", classId: 1259, oid })),
      makeEntry({ dumpId: 9001, type: "VIEW", classId: 1259, oid: 9001 }),
      makeEntry({ dumpId: 9002, type: "INDEX", oid: 7001 }),
    ],
    indexes: [makeIndex(7001, 501)],
    streams: 1,
  });

  test("are created beside each other; the largest first, and its rows wait for nothing else", () => {
    expect(taskOf(made, "pre-data:1").after).toEqual(["pre-data:first"]);
    expect(taskOf(made, "pre-data").after).toEqual(["pre-data:1", "pre-data:2", "pre-data:3"]);
    expect(waitsFor(made, "copy:501")).toEqual(new Set(["pre-data:1", "pre-data:first"]));
  });

  test("an index waits for the whole schema, and so do a partition's rows", () => {
    expect(waitsFor(made, "build:9002")).toContain("pre-data");
    const ofPartition = made.tasks.find((task) => task.kind === "copy" && task.copies.some(({ table }) => table.oid === 8));
    expect(ofPartition?.after).toContain("pre-data");
  });
});
