import { expect, test } from "vitest";

import { copyMethod } from "./create-from-template.ts";

const MB = 1024 * 1024;

test.each([
  [8 * MB, 150_000, "WAL_LOG"],
  [64 * MB, 150_000, "FILE_COPY"],
  [1024 * MB, 180_004, "FILE_COPY"],
  // before 15 there is no choice
  [8 * MB, 140_020, "FILE_COPY"],
])("%d bytes on %d: %s", (bytes, version, method) => {
  expect(copyMethod(bytes, version)).toBe(method);
});
