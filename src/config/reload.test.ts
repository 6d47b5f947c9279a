import { describe, expect, test } from "vitest";

import { NO_SQL } from "./own-sql.ts";
import { refuseHalfReload } from "./reload.ts";

const PLAIN = {
  mode: "truncate",
  atomic: false,
  dropIndexes: false,
  strategy: "copy",
  via: "stream",
  resume: false,
  keepStaging: false,
  keepPrevious: false,
  noOwner: false,
  noAcl: false,
  noTablespaces: false,
  skipExtensions: [],
  maxTargetSize: undefined,
  sql: NO_SQL,
};

describe("--mode truncate", () => {
  test.each([{}, { atomic: true }, { dropIndexes: true }])("goes with %j", (choice) => {
    expect(() => refuseHalfReload({ ...PLAIN, ...choice })).not.toThrow();
  });

  test.each([
    ["--strategy template", { strategy: "template" }],
    ["--via dump", { via: "dump" }],
    ["--resume", { resume: true }],
    ["--keep-staging", { keepStaging: true }],
    ["--keep-previous", { keepPrevious: true }],
    ["--no-owner", { noOwner: true }],
    ["--no-acl", { noAcl: true }],
    ["--no-tablespaces", { noTablespaces: true }],
    ["--skip-extension", { skipExtensions: ["a"] }],
    ["--max-target-size", { maxTargetSize: 1 }],
  ])("and %s contradict each other", (flag, choice) => {
    expect(() => refuseHalfReload({ ...PLAIN, ...choice })).toThrow(`--mode truncate and ${flag} contradict each other`);
    if (flag !== "--strategy template") expect(() => refuseHalfReload({ ...PLAIN, ...choice, mode: "staging" })).not.toThrow();
  });

  test("--atomic has no room for SQL in the middle", () => {
    const sql = (stage: "before" | "after-data") => ({ ...NO_SQL, files: [{ stage, given: "a.sql", absolute: "/a.sql" }] });
    expect(() => refuseHalfReload({ ...PLAIN, atomic: true, sql: sql("after-data") })).toThrow(
      "--atomic and --sql after-data contradict each other",
    );
    expect(() => refuseHalfReload({ ...PLAIN, atomic: true, sql: sql("before") })).not.toThrow();
    expect(() => refuseHalfReload({ ...PLAIN, sql: sql("after-data") })).not.toThrow();
  });

  test("--atomic and --drop-indexes contradict each other, and mean nothing without it", () => {
    expect(() => refuseHalfReload({ ...PLAIN, atomic: true, dropIndexes: true })).toThrow("contradict each other");
    expect(() => refuseHalfReload({ ...PLAIN, atomic: true, mode: "staging" })).toThrow("--atomic without --mode truncate");
    expect(() => refuseHalfReload({ ...PLAIN, dropIndexes: true, mode: "recreate" })).toThrow("--drop-indexes without --mode truncate");
  });
});
