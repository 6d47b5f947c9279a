import { describe, expect, test } from "vitest";

import { refuseHalfDump } from "./via.ts";

const PLAIN = {
  via: "dump",
  strategy: "copy",
  pgDump: "auto",
  resume: false,
  keepDumps: false,
  formatGiven: false,
  rateLimit: undefined,
  maxReplicationLag: undefined,
};

describe("--via dump", () => {
  test("alone, and with what belongs to it", () => {
    expect(() => refuseHalfDump(PLAIN)).not.toThrow();
    expect(() => refuseHalfDump({ ...PLAIN, keepDumps: true, formatGiven: true, pgDump: "native" })).not.toThrow();
    expect(() =>
      refuseHalfDump({ ...PLAIN, via: "stream", rateLimit: 1, resume: true, strategy: "template", pgDump: "wasm" }),
    ).not.toThrow();
  });

  test.each([
    ["--rate-limit", { rateLimit: 1 }],
    ["--max-replication-lag", { maxReplicationLag: 1 }],
    ["--resume", { resume: true }],
    ["--strategy template", { strategy: "template" }],
    ["--pg-dump wasm", { pgDump: "wasm" }],
  ])("and %s contradict each other: the error names both", (flag, option) => {
    expect(() => refuseHalfDump({ ...PLAIN, ...option })).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringMatching(`^--via dump and ${flag} contradict`) as string }) as Error,
    );
  });

  test.each([
    ["--keep-dumps", { keepDumps: true }],
    ["--dump-format", { formatGiven: true }],
  ])("%s without it is a mistake", (flag, option) => {
    expect(() => refuseHalfDump({ ...PLAIN, via: "stream", ...option })).toThrow(
      expect.objectContaining({ code: "usage", object: flag, hint: expect.stringContaining("Add --via dump") as string }) as Error,
    );
  });
});
