import { describe, expect, test } from "vitest";

import { diskNeed, mustStayFree, spaceNeed, walNeed } from "./space-need.ts";

const MB = 1024 ** 2;
const GB = 1024 ** 3;
const EMPTY = 8 * MB;
const wal = { segment: 16 * MB, most: GB, present: 0, keptFor: undefined };

const table = (oid: number, bytes: number, tablespace = "") => ({ oid, table: oid, index: false, tablespace, bytes });
const index = (oid: number, of: number, bytes: number, tablespace = "") => ({ oid, table: of, index: true, tablespace, bytes });

describe("what a copy needs", () => {
  test("tables and indexes where they lie, and room to sort the largest index", () => {
    const sizes = [table(1, 100 * MB), index(2, 1, 20 * MB), index(3, 1, 30 * MB, "fast"), table(4, 7 * MB, "fast")];
    const need = spaceNeed({ sizes, tablespace: "pg_default", noTablespaces: false });
    expect(Object.fromEntries(need.byTablespace)).toEqual({ pg_default: EMPTY + 120 * MB, fast: 37 * MB });
    expect(need).toMatchObject({ database: EMPTY + 157 * MB, sort: 30 * MB });
  });

  test("with --no-tablespaces all in one place", () => {
    const need = spaceNeed({ sizes: [table(4, 7 * MB, "fast")], tablespace: "pg_default", noTablespaces: true });
    expect(Object.fromEntries(need.byTablespace)).toEqual({ pg_default: EMPTY + 7 * MB });
    expect(need.sort).toBe(0);
  });
});

describe("WAL", () => {
  test("no more than max_wal_size less what is there; all of it where something keeps it", () => {
    expect(walNeed(100 * MB, wal)).toBe(110 * MB);
    expect(walNeed(10 * GB, wal)).toBe(GB);
    expect(walNeed(10 * GB, { ...wal, present: 300 * MB })).toBe(GB - 300 * MB);
    expect(walNeed(10 * GB, { ...wal, present: 2 * GB })).toBe(0);
    expect(walNeed(10 * GB, { ...wal, keptFor: "a slot" })).toBe(11 * GB);
  });

  test.each([
    [true, 200 * MB, 64 * MB],
    [false, 200 * MB, 2 * MB],
    [true, 4 * GB, 0.2 * GB],
    [true, 100 * GB, 256 * MB],
    [false, 4096 * GB, 256 * MB],
  ])("on a disk with WAL (%j) of %d bytes %d stay free", (holdsWal, total, free) => {
    expect(mustStayFree({ wal: holdsWal }, { total }, 16 * MB)).toBeCloseTo(free, 0);
  });
});

test("a disk is asked for what lies on it and for nothing else", () => {
  const need = spaceNeed({
    sizes: [table(1, 100 * MB), index(2, 1, 9 * MB, "fast")],
    tablespace: "pg_default",
    noTablespaces: false,
  });
  const space = { free: 0, total: GB };
  const ask = { need, wal, tablespace: "pg_default" };
  const walOnly = diskNeed({ path: "/wal", tablespaces: [], wal: true }, space, ask);
  expect(walOnly).toMatchObject({ data: 0, sort: 0, reserve: 64 * MB });
  expect(walOnly.wal).toBeGreaterThan(100 * MB);
  expect(diskNeed({ path: "/fast", tablespaces: ["fast"], wal: false }, space, ask)).toMatchObject({ data: 9 * MB, sort: 0, wal: 0 });
  expect(diskNeed({ path: "/", tablespaces: ["pg_default"], wal: false }, space, ask)).toMatchObject({
    data: EMPTY + 100 * MB,
    sort: 9 * MB,
  });
});
