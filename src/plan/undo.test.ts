import { describe, expect, test } from "vitest";

import { makeEntry, makeTable } from "../../tests/house/make.ts";
import { makeConstraint, makeIndex } from "../../tests/house/make-plan.ts";
import { planUndo } from "./undo.ts";

const MB = 1024 * 1024;
const key = (dumpId: number): string => `key ${dumpId}`;

/** Table 1 refers to 2; 3 is a partition of 4; 5 stands alone. Everything is there. */
const entries = [
  makeEntry({ dumpId: 10, type: "FK CONSTRAINT", oid: 70 }),
  makeEntry({ dumpId: 11, type: "TRIGGER", oid: 80, sql: "CREATE TRIGGER" }),
  makeEntry({ dumpId: 12, type: "COMMENT", dependencies: [11] }),
  makeEntry({ dumpId: 13, type: "INDEX", oid: 50 }),
  makeEntry({ dumpId: 14, type: "CONSTRAINT", oid: 71 }),
  makeEntry({ dumpId: 15, type: "TRIGGER", oid: 81, sql: "ALTER TABLE t3 DISABLE TRIGGER t" }),
  makeEntry({ dumpId: 16, type: "MATERIALIZED VIEW DATA", oid: 90 }),
  // the same number in another catalog
  makeEntry({ dumpId: 17, type: "FUNCTION", oid: 70 }),
];
const tables = [
  makeTable({ oid: 1, bytes: 100 * MB }),
  makeTable({ oid: 2 }),
  makeTable({ oid: 3, root: 4, parents: [4] }),
  makeTable({ oid: 4, kind: "p" }),
  makeTable({ oid: 5 }),
];
const byOid = new Map(tables.map((table) => [table.oid, table]));
const input = {
  entries,
  tables: byOid,
  applied: new Set(entries.map((entry) => entry.key)),
  planned: new Set<string>(),
  indexes: [makeIndex(50, 1), makeIndex(51, 1)],
  constraints: [makeConstraint({ oid: 70, table: 1, type: "f", refTable: 2 }), makeConstraint({ oid: 71, table: 1, type: "p", index: 51 })],
  triggers: [
    { oid: 80, name: "on 4", table: 4 },
    { oid: 81, name: "on 4", table: 3 },
  ],
  rowsCome: true,
};

function undo(oids: readonly number[], more: Partial<typeof input> = {}, xids: "all" | readonly string[] = "all") {
  const rows = oids.flatMap((oid) => (byOid.has(oid) ? [{ table: byOid.get(oid) ?? makeTable({ oid }), xids }] : []));
  const { statements, forgotten } = planUndo({ ...input, ...more, rows });
  return { statements, forgotten: [...forgotten].toSorted() };
}

describe("what is taken back before rows come again", () => {
  test("nothing where none come", () => {
    expect(undo([], { rowsCome: false })).toEqual({ statements: [], forgotten: [] });
  });

  test("a table that another one refers to: the foreign key; materialized views are filled again", () => {
    expect(undo([2])).toEqual({
      statements: [`ALTER TABLE IF EXISTS "public"."t1" DROP CONSTRAINT IF EXISTS "c70"`, `TRUNCATE ONLY "public"."t2"`],
      forgotten: [key(10), key(16)],
    });
  });

  test("a large table that is emptied: its plain indexes too, and not its primary key", () => {
    expect(undo([1])).toEqual({
      statements: [
        `ALTER TABLE IF EXISTS "public"."t1" DROP CONSTRAINT IF EXISTS "c70"`,
        `DROP INDEX IF EXISTS "public"."i50"`,
        `TRUNCATE ONLY "public"."t1"`,
      ],
      forgotten: [key(10), key(13), key(16)],
    });
  });

  test("a range of it: the indexes stay, and only the transaction's own rows go", () => {
    // 2^32 + 5: rows hold 5
    expect(undo([1], {}, ["77", "4294967301"]).statements).toEqual([
      `ALTER TABLE IF EXISTS "public"."t1" DROP CONSTRAINT IF EXISTS "c70"`,
      `DELETE FROM ONLY "public"."t1" WHERE xmin = ANY ('{77,5}'::pg_catalog.xid[])`,
    ]);
  });

  test("a partition: the triggers of the table it belongs to, with their comments, and what was said of its own copy of one", () => {
    expect(undo([3])).toEqual({
      statements: [`DROP TRIGGER IF EXISTS "on 4" ON "public"."t4"`, `TRUNCATE ONLY "public"."t3"`],
      forgotten: [key(11), key(12), key(15), key(16)],
    });
  });

  test("what is not there yet is not taken away", () => {
    expect(undo([1, 2, 3], { applied: new Set([key(17)]) })).toEqual({
      statements: [`TRUNCATE ONLY "public"."t1", ONLY "public"."t2", ONLY "public"."t3"`],
      forgotten: [],
    });
  });

  test("the first of two steps goes when the new plan has no use for it", () => {
    const applied = new Set([`${key(14)}/1`, `${key(10)}/1`]);
    const both = [`ALTER TABLE IF EXISTS "public"."t1" DROP CONSTRAINT IF EXISTS "c70"`, `DROP INDEX IF EXISTS "public"."i51"`];
    expect(undo([], { applied })).toEqual({ statements: both, forgotten: [...applied].toSorted() });
    expect(undo([], { applied, planned: applied })).toEqual({ statements: [], forgotten: [] });
  });
});
