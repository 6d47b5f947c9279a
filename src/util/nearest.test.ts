import { expect, test } from "vitest";

import { nearest } from "./nearest.ts";

const NAMES = ["orders", "public.orders", "order_items", "customers", "products", "Großkunden", "audit_logs"];

test.each([
  ["orders", ["orders", "public.orders"]],
  ["order", ["orders", "order_items", "public.orders"]],
  ["ordres", ["orders"]],
  ["ORDERS", ["orders", "public.orders"]],
  ["custmers", ["customers"]],
  ["grosskunden", ["Großkunden"]],
  ["auditlogs", ["audit_logs"]],
  ["invoices", []],
])("nearest to %s", (wanted, names) => {
  expect(nearest(wanted, NAMES)).toEqual(names);
});

test("at most as many as asked for, none twice", () => {
  expect(nearest("a", ["a1", "a2", "a1", "a3", "a4"], 2)).toEqual(["a1", "a2"]);
  expect(nearest("a", ["a1", "a1"])).toEqual(["a1"]);
  expect(nearest("a", [])).toEqual([]);
});
