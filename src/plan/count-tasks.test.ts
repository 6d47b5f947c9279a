import { describe, expect, test } from "vitest";

import { makeEntry, makeTable } from "../../tests/house/make.ts";
import { makeIndex, makePlan, taskOf, waitsFor } from "../../tests/house/make-plan.ts";
import { parseScript } from "../config/sql/parse-script.ts";
import type { PlanInput } from "./build-plan.ts";
import { makeStep } from "./sql-step.ts";

const LARGE = 64 * 1024 * 1024;
const parts: Partial<PlanInput> = {
  tables: [makeTable({ oid: 1, bytes: LARGE }), makeTable({ oid: 2 })],
  indexes: [makeIndex(7, 1)],
  entries: [makeEntry({ dumpId: 9, type: "INDEX", oid: 7 })],
  streams: 1,
};

describe("the source's rows are counted by the COPY that reads them", () => {
  test("where it reads the whole table: the target is counted", () => {
    const made = makePlan(parts);
    expect(taskOf(made, "count:1")).toMatchObject({
      sides: ["target"],
      sent: new Map([
        [1, "copy:1"],
        [2, "copy:2"],
      ]),
    });
    expect(taskOf(made, "count:2")).toMatchObject({ sides: ["target"] });
  });

  test.each<[string, Partial<PlanInput>]>([
    ["ranges, between which a row could be forgotten", { streams: 2, tables: [makeTable({ oid: 1, bytes: 16 * LARGE })] }],
    ["a copy that an earlier run has made", { kept: new Map([[1, ["whole"]]]) }],
    ["rows that are compared by content", { rowHash: () => ({ sql: "0", columns: [], leftOut: [] }) }],
  ])("not of %s", (_what, more) => {
    expect(taskOf(makePlan({ ...parts, ...more }), "count:1")).toMatchObject({ sides: ["source", "target"], sent: undefined });
  });
});

test("a large table is counted behind its indexes, unless own SQL has to see the counts first", () => {
  expect(waitsFor(makePlan(parts), "count:1")).toContain("build:9");
  const steps = [makeStep("after-data", 1, { script: parseScript("a.sql", "SELECT 1", new Map()) })];
  expect(waitsFor(makePlan({ ...parts, steps }), "count:1")).not.toContain("build:9");
});
