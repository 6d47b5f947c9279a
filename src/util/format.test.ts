import { expect, test } from "vitest";

import { formatBytes, formatCount, formatDuration, plural } from "./format.ts";

test.each([
  [0, "0B"],
  [1, "1B"],
  [1023, "1023B"],
  [1024, "1.0K"],
  [1536, "1.5K"],
  [10 * 1024, "10.0K"],
  [99.9 * 1024, "99.9K"],
  [100 * 1024, "100K"],
  [1023.4 * 1024, "1023K"],
  [1023.7 * 1024, "1.0M"],
  [15.2 * 1024 ** 2, "15.2M"],
  [3 * 1024 ** 3, "3.0G"],
  [2 * 1024 ** 4, "2.0T"],
  [5000 * 1024 ** 5, "5000P"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, "0.0s"],
  [40, "0.0s"],
  [400, "0.4s"],
  [9_949, "9.9s"],
  [9_999, "10s"],
  [10_000, "10s"],
  [59_499, "59s"],
  [59_500, "1m 00s"],
  [125_000, "2m 05s"],
  [3_599_600, "1h 00m 00s"],
  [3_725_000, "1h 02m 05s"],
  [360_000_000, "100h 00m 00s"],
])("%d ms are %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1_234_567, "1,234,567"],
  [10_000_000_000, "10,000,000,000"],
])("%d is counted as %s", (n, text) => {
  expect(formatCount(n)).toBe(text);
});

test.each([
  [0, "0 tables"],
  [1, "1 table"],
  [2, "2 tables"],
  [1234, "1,234 tables"],
])("%d: %s", (n, text) => {
  expect(plural(n, "table")).toBe(text);
});
