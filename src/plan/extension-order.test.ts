import { expect, test } from "vitest";
import type { ConstraintInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import { tablesBefore } from "./extension-order.ts";

function table(oid: number, extension?: string): TableInfo {
  return {
    oid,
    schema: "s",
    name: `t${oid}`,
    kind: "r",
    bytes: 0,
    blocks: 0,
    extendedStatistics: false,
    rowEstimate: 0,
    file: 0,
    unlogged: false,
    root: oid,
    parents: [],
    columns: [],
    extension: extension === undefined ? undefined : { name: extension, condition: "" },
  };
}

function foreignKey(from: number, to: number): ConstraintInfo {
  return {
    oid: from * 100 + to,
    name: "fk",
    type: "f",
    table: from,
    refTable: to,
    refIndex: 0,
    index: 0,
    validated: true,
    deferrable: false,
    deferred: false,
  };
}

test("a configuration table of an extension waits for those it refers to", () => {
  // PostGIS: topology.layer refers to topology.topology
  const before = tablesBefore([table(1, "postgis_topology"), table(2, "postgis_topology")], [foreignKey(2, 1)]);
  expect([...before]).toEqual([[2, [1]]]);
});

test("tables of the user do not wait: their foreign keys are made after the rows", () => {
  expect(tablesBefore([table(1, "x"), table(2), table(3)], [foreignKey(2, 1), foreignKey(3, 2), foreignKey(1, 2)]).size).toBe(0);
});

test("a table that refers to itself, and keys in a circle, wait for nothing that waits for them", () => {
  const before = tablesBefore(
    [table(1, "x"), table(2, "x"), table(3, "x")],
    [foreignKey(1, 1), foreignKey(1, 2), foreignKey(2, 3), foreignKey(3, 1)],
  );
  expect([...before]).toEqual([
    [1, [2]],
    [2, [3]],
  ]);
});
