import { describe, expect, test } from "vitest";

import { newRunId, previousName, retiredName, runOfName, stagingName } from "./names.ts";

const RUN = "tf3k2a9x0z";

describe("newRunId", () => {
  test("ten characters of a name that needs no quotes, sorted by time", () => {
    const ids = [0, 1_000, 1_700_000_000_000, 1_783_000_000_000, 2_176_000_000_000].map(newRunId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-z]{10}$/);
    expect(ids.map((id) => id.slice(0, 6))).toEqual(ids.map((id) => id.slice(0, 6)).toSorted());
  });

  test("two of the same second differ", () => {
    expect(new Set(Array.from({ length: 50 }, () => newRunId(0))).size).toBeGreaterThan(40);
  });
});

test("the names of a run", () => {
  expect(stagingName("Archive_DB", RUN)).toBe(`Archive_DB__pgditto_${RUN}`);
  expect(retiredName("Archive_DB", RUN)).toBe(`Archive_DB__pgditto_old_${RUN}`);
  expect(previousName("Archive_DB")).toBe("Archive_DB_previous");
});

describe("PostgreSQL keeps 63 bytes of a name", () => {
  const long = ["x".repeat(63), "ä".repeat(31), "日本".repeat(10), "😀".repeat(15), `${"a".repeat(42)}ä${"b".repeat(19)}`];

  test.each(long)("%s", (target) => {
    for (const name of [stagingName(target, RUN), retiredName(target, RUN), previousName(target)]) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      // no half characters
      expect(Buffer.from(name).toString()).toBe(name);
      expect(name).not.toContain("\uFFFD");
    }
    expect(runOfName(stagingName(target, RUN), target)).toBe(RUN);
    expect(runOfName(retiredName(target, RUN), target)).toBe(RUN);
  });

  test("as much of the name is kept as fits", () => {
    expect(stagingName("x".repeat(63), RUN)).toBe(`${"x".repeat(43)}__pgditto_${RUN}`);
    expect(Buffer.byteLength(stagingName("x".repeat(42) + "ä", RUN))).toBe(62);
  });
});

describe("runOfName", () => {
  test.each([
    ["a name of its own", "shop"],
    ["a target that looks like a staging database", `shop__pgditto_${RUN}`],
    ["a target with the mark in it", "shop__pgditto_old_things"],
    ["quotes, blanks, line breaks", 'a "b"\n%\\'],
  ])("%s", (_what, target) => {
    expect(runOfName(stagingName(target, RUN), target)).toBe(RUN);
    expect(runOfName(retiredName(target, RUN), target)).toBe(RUN);
  });

  test.each([
    ["another target's", stagingName("shop2", RUN), "shop"],
    ["a prefix of another target's", stagingName("shop", RUN), "shop2"],
    ["a longer name that ends the same", stagingName("my_shop", RUN), "shop"],
    ["no id", "shop__pgditto_", "shop"],
    ["an id that is too short", "shop__pgditto_abc", "shop"],
    ["an id in upper case", `shop__pgditto_${RUN.toUpperCase()}`, "shop"],
    ["something behind the id", `shop__pgditto_${RUN}_x`, "shop"],
    ["the previous one", previousName("shop"), "shop"],
    ["the target itself", "shop", "shop"],
    ["another case", stagingName("Shop", RUN), "shop"],
  ])("not %s", (_what, name, target) => {
    expect(runOfName(name, target)).toBeUndefined();
  });
});
