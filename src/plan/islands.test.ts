import { describe, expect, test } from "vitest";

import { makeEntry } from "../../tests/house/make.ts";
import { seededRandom } from "../../tests/house/random.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { findIslands } from "./islands.ts";

const PG_CLASS = 1259;
const PG_PROC = 1255;
const table = (oid: number, sql?: string) =>
  makeEntry({ dumpId: oid, type: "TABLE", classId: PG_CLASS, oid, ...(sql === undefined ? {} : { sql }) });
const ids = (entries: readonly SchemaEntry[]) => entries.map(({ dumpId }) => dumpId);
const needs = (relation: number, ref: number, refClass = PG_CLASS, partition = false) => ({ relation, refClass, ref, partition });
const none = { dependencies: [], defaults: new Map<number, number>() };

describe("findIslands", () => {
  test("what comes before the first table stays before, what is no table comes after, each in its order", () => {
    const entries = [
      makeEntry({ dumpId: 1, type: "SCHEMA" }),
      makeEntry({ dumpId: 2, type: "FUNCTION" }),
      table(10),
      makeEntry({ dumpId: 11, type: "VIEW", classId: PG_CLASS, oid: 11 }),
      table(12),
      makeEntry({ dumpId: 13, type: "COMMENT", dependencies: [12] }),
    ];
    const { first, islands, rest } = findIslands(entries, none);
    expect([ids(first), islands.map(ids), ids(rest)]).toEqual([
      [1, 2],
      [[10], [12]],
      [11, 13],
    ]);
  });

  test("a table's own sequences and defaults are of its island, in pg_dump's order", () => {
    const entries = [
      table(10),
      table(11),
      makeEntry({ dumpId: 20, type: "SEQUENCE", classId: PG_CLASS, oid: 20 }),
      makeEntry({ dumpId: 21, type: "SEQUENCE OWNED BY", dependencies: [20] }),
      makeEntry({ dumpId: 22, type: "DEFAULT", classId: 2604, oid: 500 }),
    ];
    const { islands, rest } = findIslands(entries, {
      dependencies: [needs(20, 11), needs(11, 20)],
      defaults: new Map([[500, 11]]),
    });
    expect(islands.map(ids)).toEqual([[10], [11, 20, 21, 22]]);
    expect(rest).toEqual([]);
  });

  test("tables that need one another are one island: inheritance, a row type as a column", () => {
    const { islands } = findIslands([table(10), table(11), table(12), table(13)], {
      ...none,
      dependencies: [needs(12, 10), needs(13, 12)],
    });
    expect(islands.map(ids)).toEqual([[10, 12, 13], [11]]);
  });

  test("a partition does not need its parent until it is attached; in an older script, which attaches at once, it does", () => {
    const attached = table(11, "CREATE TABLE a (i int);\nALTER TABLE ONLY p ATTACH PARTITION a DEFAULT;");
    const dependencies = [needs(11, 10, PG_CLASS, true)];
    expect(findIslands([table(10), table(11)], { ...none, dependencies }).islands.map(ids)).toEqual([[10], [11]]);
    expect(findIslands([table(10), attached], { ...none, dependencies }).islands.map(ids)).toEqual([[10, 11]]);
  });

  test("a table that needs what is made among the tables waits for it, and with it the whole island", () => {
    const entries = [
      table(10),
      makeEntry({ dumpId: 30, type: "FUNCTION", classId: PG_PROC, oid: 30 }),
      table(11),
      table(12),
      makeEntry({ dumpId: 31, type: "VIEW", classId: PG_CLASS, oid: 31 }),
      table(13),
    ];
    const { islands, rest } = findIslands(entries, { ...none, dependencies: [needs(11, 30, PG_PROC), needs(12, 11), needs(13, 31)] });
    expect(islands.map(ids)).toEqual([[10]]);
    expect(ids(rest)).toEqual([30, 11, 12, 31, 13]);
  });

  test("without tables there is nothing to cut", () => {
    const entries = [makeEntry({ dumpId: 1, type: "SCHEMA" })];
    expect(findIslands(entries, none)).toEqual({ first: entries, islands: [], rest: [] });
  });

  test("whatever needs what: each entry once, and everything after what it needs", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = seededRandom(seed);
      const entries = Array.from({ length: 2 + random.int(20) }, (_, i) =>
        random.chance(0.7) ? table(i + 1) : makeEntry({ dumpId: i + 1, type: "VIEW", classId: PG_CLASS, oid: i + 1 }),
      );
      // pg_dump's order respects them: what is needed comes before
      const dependencies = Array.from({ length: random.int(20) }, () => {
        const relation = 2 + random.int(entries.length - 1);
        return needs(relation, 1 + random.int(relation - 1));
      });
      const { first, islands, rest } = findIslands(entries, { ...none, dependencies });
      const all = [...ids(first), ...islands.flatMap(ids), ...ids(rest)];
      expect(new Set(all).size, `seed ${seed}`).toBe(entries.length);
      const stage = new Map<number, string>([
        ...ids(first).map((id, i) => [id, `0.${i}`] as const),
        ...islands.flatMap((island, k) => ids(island).map((id, i) => [id, `1.${k}.${i}`] as const)),
        ...ids(rest).map((id, i) => [id, `2.${i}`] as const),
      ]);
      for (const { relation, ref } of dependencies) {
        if (entries[relation - 1]?.type !== "TABLE") continue; // a view's needs are pg_dump's order, which `rest` keeps
        const [before, after] = [stage.get(ref)?.split(".") ?? [], stage.get(relation)?.split(".") ?? []];
        const sameIsland = before[0] === "1" && after[0] === "1" && before[1] === after[1] && Number(before[2]) < Number(after[2]);
        const sameList = before[0] === after[0] && before[0] !== "1" && Number(before[1]) < Number(after[1]);
        expect(Number(before[0]) < Number(after[0]) || sameIsland || sameList, `seed ${seed}: ${relation} needs ${ref}`).toBe(true);
      }
    }
  });
});
