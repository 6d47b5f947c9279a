import { describe, expect, test } from "vitest";

import { NO_SQL } from "./own-sql.ts";
import { leavingOut, refuseHalfTemplate } from "./strategy.ts";

const EVERYTHING = {
  tables: [],
  excludeTables: [],
  schemas: [],
  excludeSchemas: [],
  noOwner: false,
  noAcl: false,
  noTablespaces: false,
  skipExtensions: [],
  rateLimit: undefined,
  maxReplicationLag: undefined,
  resume: false,
  sql: NO_SQL,
};

describe("--strategy template copies everything", () => {
  test("and nothing else is in its way", () => {
    expect(leavingOut(EVERYTHING)).toEqual([]);
    expect(() => refuseHalfTemplate({ ...EVERYTHING, strategy: "template" })).not.toThrow();
  });

  test.each([
    ["--table (CORE_TABLES)", { tables: ["a"] }],
    ["--exclude-table", { excludeTables: ["a"] }],
    ["--schema", { schemas: ["a"] }],
    ["--exclude-schema", { excludeSchemas: ["a"] }],
    ["--no-owner", { noOwner: true }],
    ["--no-acl", { noAcl: true }],
    ["--no-tablespaces", { noTablespaces: true }],
    ["--skip-extension", { skipExtensions: ["a"] }],
    ["--rate-limit", { rateLimit: 1 }],
    ["--max-replication-lag", { maxReplicationLag: 1 }],
    ["--resume", { resume: true }],
    ["--sql before", { sql: { ...NO_SQL, files: [{ stage: "before" as const, given: "a", absolute: "/a" }] } }],
    ["hooks.after-data", { sql: { ...NO_SQL, hooks: { "after-data": () => undefined } } }],
  ])("%s contradicts it, and not the strategy copy", (flag, choice) => {
    const config = { ...EVERYTHING, ...choice };
    expect(() => refuseHalfTemplate({ ...config, strategy: "copy" })).not.toThrow();
    expect(() => refuseHalfTemplate({ ...config, strategy: "template" })).toThrow(`--strategy template and ${flag} contradict each other`);
  });

  test("what runs when all is proven does not", () => {
    const sql = { ...NO_SQL, files: [{ stage: "after" as const, given: "a", absolute: "/a" }], hooks: { after: () => undefined } };
    expect(() => refuseHalfTemplate({ ...EVERYTHING, strategy: "template", sql })).not.toThrow();
  });

  test("all of them at once, with both ways out", () => {
    const config = { ...EVERYTHING, strategy: "template", noAcl: true, schemas: ["a"] };
    expect(() => refuseHalfTemplate(config)).toThrow(
      expect.objectContaining({
        code: "usage",
        object: "--strategy",
        hint: "Leave out --schema, --no-acl, or --strategy template.",
      }),
    );
  });
});
