import { expect, test } from "vitest";

import { groupBy, inSlices } from "./group-by.ts";

test("groupBy keeps the order of keys and of items", () => {
  const groups = groupBy([3, 1, 4, 1, 5, 9, 2, 6], (n) => (n % 2 === 0 ? "even" : "odd"));
  expect([...groups]).toEqual([
    ["odd", [3, 1, 1, 5, 9]],
    ["even", [4, 2, 6]],
  ]);
});

test("groupBy takes any key", () => {
  expect(groupBy([{ a: undefined }, { a: 0 }], ({ a }) => a).size).toBe(2);
  expect(groupBy([], () => 1).size).toBe(0);
});

test.each([
  [[], 3, []],
  [[1, 2], 3, [[1, 2]]],
  [[1, 2, 3], 3, [[1, 2, 3]]],
  [[1, 2, 3, 4], 3, [[1, 2, 3], [4]]],
])("inSlices(%j, %d)", (items, size, slices) => {
  expect(inSlices(items, size)).toEqual(slices);
});
