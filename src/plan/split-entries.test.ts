import { describe, expect, test } from "vitest";

import { makeEntry } from "../../tests/house/make.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { splitEntries, type SplitEntries } from "./split-entries.ts";

type List = Exclude<keyof SplitEntries, "database" | "order">;
const LISTS: readonly List[] = [
  "databaseProperties",
  "preData",
  "statistics",
  "builds",
  "attaches",
  "postponed",
  "rest",
  "privileges",
  "refreshes",
  "eventTriggers",
  "skipped",
];

/** Where each entry goes, by its number; an entry that is in two lists would show as such. */
function places(entries: readonly SchemaEntry[], skipExtensions: readonly string[] = []): Record<number, string> {
  const split = splitEntries(entries, skipExtensions);
  return Object.fromEntries(
    entries.map(({ dumpId }) => [
      dumpId,
      LISTS.filter((list) => split[list].some((entry) => entry.dumpId === dumpId)).join(" and ") || "nowhere",
    ]),
  );
}

const TABLE = makeEntry({ dumpId: 1, type: "TABLE" });
const INDEX = makeEntry({ dumpId: 2, type: "INDEX" });

test.each([
  ["SCHEMA", "preData"],
  ["TYPE", "preData"],
  ["FUNCTION", "preData"],
  ["VIEW", "preData"],
  ["MATERIALIZED VIEW", "preData"],
  ["SEQUENCE OWNED BY", "preData"],
  ["DEFAULT", "preData"],
  ["TABLE ATTACH", "preData"],
  ["COMMENT", "preData"],
  ["SECURITY LABEL", "preData"],
  ["ACL", "privileges"],
  ["DEFAULT ACL", "privileges"],
  ["TABLE DATA", "nowhere"],
  ["SEQUENCE SET", "nowhere"],
  ["BLOB", "nowhere"],
  ["BLOB METADATA", "nowhere"],
  ["STATISTICS DATA", "nowhere"],
])("before the rows: %s goes to %s", (type, list) => {
  expect(places([TABLE, makeEntry({ dumpId: 5, type }), INDEX])).toEqual({ 1: "preData", 2: "builds", 5: list });
});

test.each([
  ["INDEX", "builds"],
  ["CONSTRAINT", "builds"],
  ["CHECK CONSTRAINT", "builds"],
  ["FK CONSTRAINT", "builds"],
  ["INDEX ATTACH", "attaches"],
  ["STATISTICS", "statistics"],
  ["RULE", "rest"],
  ["TRIGGER", "rest"],
  ["POLICY", "rest"],
  ["ROW SECURITY", "rest"],
  ["PUBLICATION", "rest"],
  ["PUBLICATION TABLE", "rest"],
  ["PUBLICATION TABLES IN SCHEMA", "rest"],
  ["COMMENT", "rest"],
  ["SECURITY LABEL", "rest"],
  ["MATERIALIZED VIEW DATA", "refreshes"],
  ["EVENT TRIGGER", "eventTriggers"],
  ["ACL", "privileges"],
  // they need a primary key, so that pg_dump put them behind it
  ["VIEW", "postponed"],
  ["MATERIALIZED VIEW", "postponed"],
  ["FUNCTION", "postponed"],
])("behind the first index: %s goes to %s", (type, list) => {
  expect(places([TABLE, INDEX, makeEntry({ dumpId: 5, type })])).toEqual({ 1: "preData", 2: "builds", 5: list });
});

describe("splitEntries", () => {
  test("an entry without statements is nobody's", () => {
    expect(places([makeEntry({ dumpId: 1, type: "SCHEMA", sql: "" })])).toEqual({ 1: "nowhere" });
  });

  test("the database, what is said about it, and what is said about others", () => {
    const entries = [
      makeEntry({ dumpId: 10, type: "DATABASE" }),
      makeEntry({ dumpId: 11, type: "COMMENT", dependencies: [10] }),
      makeEntry({ dumpId: 12, type: "ACL", dependencies: [10] }),
      makeEntry({ dumpId: 13, type: "SECURITY LABEL", dependencies: [10] }),
      makeEntry({ dumpId: 14, type: "DATABASE PROPERTIES", dependencies: [10] }),
      makeEntry({ dumpId: 15, type: "SCHEMA" }),
      makeEntry({ dumpId: 16, type: "COMMENT", dependencies: [15] }),
    ];
    expect(splitEntries(entries, []).database?.dumpId).toBe(10);
    const mine = "databaseProperties";
    expect(places(entries)).toEqual({ 10: "nowhere", 11: mine, 12: mine, 13: mine, 14: mine, 15: "preData", 16: "preData" });
  });

  test("what belongs to an event trigger waits with it", () => {
    const entries = [makeEntry({ dumpId: 1, type: "EVENT TRIGGER" }), makeEntry({ dumpId: 2, type: "COMMENT", dependencies: [1] })];
    expect(places(entries)).toEqual({ 1: "eventTriggers", 2: "eventTriggers" });
  });

  test("an extension that is skipped takes its comment with it, and no other's", () => {
    const entries = [
      makeEntry({ dumpId: 1, type: "EXTENSION", name: "hstore" }),
      makeEntry({ dumpId: 2, type: "COMMENT", dependencies: [1] }),
      makeEntry({ dumpId: 3, type: "EXTENSION", name: "citext" }),
      makeEntry({ dumpId: 4, type: "COMMENT", dependencies: [3] }),
      makeEntry({ dumpId: 5, type: "TABLE", dependencies: [1] }),
    ];
    expect(places(entries, ["hstore"])).toEqual({ 1: "skipped", 2: "skipped", 3: "preData", 4: "preData", 5: "preData" });
    expect(places(entries)).toEqual({ 1: "preData", 2: "preData", 3: "preData", 4: "preData", 5: "preData" });
  });

  test.each([
    ["LARGE OBJECT 16401", "COMMENT", "nowhere"],
    ["LARGE OBJECT 16401", "ACL", "nowhere"],
    ["LARGE OBJECTS 16401..16500", "ACL", "nowhere"],
    ["TABLE large", "COMMENT", "preData"],
    ["TABLE LARGE OBJECT 5", "COMMENT", "preData"],
  ])("%s: large objects bring their own %s", (name, type, list) => {
    expect(places([makeEntry({ dumpId: 1, type, name })])).toEqual({ 1: list });
  });

  test("every list is in the script's order, and `order` tells it", () => {
    const entries = [7, 3, 9, 1].map((dumpId) => makeEntry({ dumpId, type: "TABLE" }));
    const split = splitEntries(entries, []);
    expect(split.preData.map(({ dumpId }) => dumpId)).toEqual([7, 3, 9, 1]);
    expect(entries.map(split.order)).toEqual([0, 1, 2, 3]);
  });

  test("nothing is lost: every entry is in one list at the most", () => {
    const types = [
      "TABLE",
      "INDEX",
      "ACL",
      "COMMENT",
      "TRIGGER",
      "VIEW",
      "EVENT TRIGGER",
      "STATISTICS",
      "INDEX ATTACH",
      "MATERIALIZED VIEW DATA",
    ];
    const entries = types.map((type, i) => makeEntry({ dumpId: i + 1, type }));
    for (const list of Object.values(places(entries))) expect(LISTS).toContain(list);
  });
});
