import { describe, expect, test } from "vitest";

import { makeConstraint, makeIndex, makePlan, waitsFor } from "../../tests/house/make-plan.ts";
import { makeEntry, makeTable } from "../../tests/house/make.ts";
import { parseScript } from "../config/sql/parse-script.ts";
import type { SqlStage } from "../config/sql/stages.ts";
import type { PlanInput } from "./build-plan.ts";
import { isRepeatable, makeStep, sqlInTheWay, type SqlStep } from "./sql-step.ts";

const step = (stage: SqlStage, number: number, text = "SELECT 1"): SqlStep =>
  makeStep(stage, number, { script: parseScript(`${stage}-${number}.sql`, text, new Map()) });

const parts = (tables: number): Partial<PlanInput> => ({
  tables: Array.from({ length: tables }, (_, i) => makeTable({ oid: i + 1, bytes: i === 0 ? 1e9 : 8192 })),
  entries: [
    ...Array.from({ length: tables }, (_, i) => makeEntry({ dumpId: i + 1, type: "TABLE", oid: i + 1 })),
    makeEntry({ dumpId: 1001, type: "INDEX", oid: 2001 }),
    makeEntry({ dumpId: 1002, type: "FK CONSTRAINT", oid: 3001 }),
    makeEntry({ dumpId: 1003, type: "TRIGGER" }),
  ],
  indexes: [makeIndex(2001, 1)],
  constraints: [makeConstraint({ oid: 3001, table: 1, type: "f", refTable: 2 })],
});

describe.each([3, 300])("with %i tables", (tables) => {
  const steps = [step("before", 1), step("after-schema", 1), step("after-data", 1), step("after-data", 2), step("after", 1)];
  const plain = makePlan(parts(tables));
  const made = makePlan({ ...parts(tables), steps });
  const mine = ["sql:before:1", "sql:after-schema:1", "sql:after-data:1", "sql:after-data:2"];

  test("a run without own SQL is as it was", () => {
    expect(makePlan({ ...parts(tables), steps: [step("after", 1)] }).tasks).toEqual(plain.tasks);
    expect(makePlan({ ...parts(tables), steps: [] }).tasks).toEqual(plain.tasks);
  });

  test("every stage is behind what it should see and ahead of everything else", () => {
    expect(made.tasks.map(({ id }) => id).toSorted()).toEqual([...plain.tasks.map(({ id }) => id), ...mine].toSorted());
    const schema = plain.tasks.filter(({ id }) => id.startsWith("pre-data"));
    const rows = plain.tasks.filter(({ kind }) => ["copy", "count"].includes(kind));
    const rest = plain.tasks.filter((task) => !schema.includes(task) && !rows.includes(task));
    expect(rows.length).toBeGreaterThan(3);
    expect(rest.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["index", "foreign-key", "statements", "sequences", "finish"]));
    const ids = (list: typeof plain.tasks): string[] => list.map(({ id }) => id);
    const before = (id: string): string[] => [...waitsFor(made, id)].toSorted();
    expect(before("sql:before:1")).toEqual([]);
    for (const { id } of schema) expect(before(id)).toContain("sql:before:1");
    expect(before("sql:after-schema:1")).toEqual([...ids(schema), "sql:before:1"].toSorted());
    for (const { id } of rows) expect(before(id)).toEqual(expect.arrayContaining(mine.slice(0, 2)));
    expect(before("sql:after-data:2")).toEqual([...ids(schema), ...ids(rows), ...mine.slice(0, 3)].toSorted());
    for (const { id } of rest) expect(before(id)).toEqual(expect.arrayContaining(mine));
  });
});

describe("what the journal has of own SQL", () => {
  const { key } = step("after-schema", 1);
  test("what is done and noted is in nobody's way", () => {
    expect(sqlInTheWay(new Set(["an entry", key]))).toBeUndefined();
    expect(sqlInTheWay(new Set([`${key}/begun`, key]))).toBeUndefined();
  });
  test("what may be half done is, and what has changed rows", () => {
    expect(sqlInTheWay(new Set([`${key}/begun`]))).toMatch(/had begun/);
    expect(sqlInTheWay(new Set([step("after-data", 1).key]))).toMatch(/after-data/);
  });
});

test("only what is one transaction, and noted, may be tried again", () => {
  expect(isRepeatable(step("after-data", 1))).toBe(true);
  expect(isRepeatable(step("after", 1))).toBe(false);
  expect(isRepeatable(step("before", 1, "-- pgditto: no-transaction\nVACUUM"))).toBe(false);
  expect(isRepeatable(makeStep("before", 1, { hook: () => undefined }))).toBe(false);
});
