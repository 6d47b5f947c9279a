import { describe, expect, test } from "vitest";

import { parseSize } from "./size.ts";

describe("a size", () => {
  test.each([
    ["50MB", 52_428_800],
    ["1kB", 1024],
    [" 200 GB ", 214_748_364_800],
    ["1.5gb", 1_610_612_736],
    ["2TB", 2_199_023_255_552],
    ["8192B", 8192],
  ])("%j is %d bytes, in PostgreSQL's units", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(["", "50", "MB", "50M", "-1MB", "0MB", "1e3MB", "50MiB", "0x10MB", "99999999999999TB", "1.MB", "5 0MB"])(
    "%j is none",
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );
});
