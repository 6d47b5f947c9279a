import type { SchemaEntry } from "../schema/entries.ts";

/** The schema script by what happens to its entries; each list in the script's order. */
export interface SplitEntries {
  /** CREATE DATABASE with its owner. */
  database: SchemaEntry | undefined;
  /** Settings, comment, privileges and security labels of the database itself. */
  databaseProperties: SchemaEntry[];
  preData: SchemaEntry[];
  /** Extended statistics: before ANALYZE, and they need no rows. */
  statistics: SchemaEntry[];
  builds: SchemaEntry[];
  attaches: SchemaEntry[];
  /** Views, materialized views and functions that need a primary key, so that pg_dump put them behind it. */
  postponed: SchemaEntry[];
  rest: SchemaEntry[];
  privileges: SchemaEntry[];
  refreshes: SchemaEntry[];
  /** Event triggers last: they would fire on our own statements. */
  eventTriggers: SchemaEntry[];
  /** What is left out because the user asked for it. */
  skipped: SchemaEntry[];
  /** An entry's place in the script. */
  order: (entry: SchemaEntry) => number;
}

const BUILDS = new Set(["INDEX", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT"]);
const REST = new Set([
  "RULE",
  "TRIGGER",
  "POLICY",
  "ROW SECURITY",
  "PUBLICATION",
  "PUBLICATION TABLE",
  "PUBLICATION TABLES IN SCHEMA",
  "SUBSCRIPTION",
  "SUBSCRIPTION TABLE",
]);
const ATTRIBUTES = new Set(["COMMENT", "SECURITY LABEL"]);
const PRIVILEGES = new Set(["ACL", "DEFAULT ACL"]);
/** Ours to copy, not the script's; pg_dump is told to leave them out, and some versions do not. */
const NOT_OURS = new Set([
  "BLOB",
  "BLOBS",
  "BLOB METADATA",
  "TABLE DATA",
  "SEQUENCE SET",
  "STATISTICS DATA",
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
]);

export function splitEntries(entries: readonly SchemaEntry[], skipExtensions: readonly string[]): SplitEntries {
  const places = new Map(entries.map((entry, i) => [entry.dumpId, i]));
  const split: SplitEntries = {
    order: (entry) => places.get(entry.dumpId) ?? 0,
    database: entries.find((entry) => entry.type === "DATABASE"),
    databaseProperties: [],
    preData: [],
    statistics: [],
    builds: [],
    attaches: [],
    postponed: [],
    rest: [],
    privileges: [],
    refreshes: [],
    eventTriggers: [],
    skipped: [],
  };
  const eventTriggers = new Set(entries.filter((entry) => entry.type === "EVENT TRIGGER").map((entry) => entry.dumpId));
  const skippedIds = new Set<number>();
  let postData = false;
  for (const entry of entries) {
    postData ||=
      BUILDS.has(entry.type) ||
      REST.has(entry.type) ||
      ["STATISTICS", "INDEX ATTACH", "MATERIALIZED VIEW DATA", "EVENT TRIGGER"].includes(entry.type);
    const list = listFor(entry);
    list?.push(entry);
  }
  return split;

  function listFor(entry: SchemaEntry): SchemaEntry[] | undefined {
    const isSkipped =
      entry.type === "EXTENSION"
        ? skipExtensions.includes(entry.name)
        : entry.dependencies.some((id) => skippedIds.has(id)) && ATTRIBUTES.has(entry.type);
    if (isSkipped) {
      skippedIds.add(entry.dumpId);
      return split.skipped;
    }
    if (entry.type === "DATABASE" || NOT_OURS.has(entry.type) || entry.sql === "") return undefined;
    if (entry.type === "DATABASE PROPERTIES" || (split.database && entry.dependencies.includes(split.database.dumpId)))
      return split.databaseProperties;
    if (/^LARGE OBJECTS? /.test(entry.name) && (ATTRIBUTES.has(entry.type) || PRIVILEGES.has(entry.type))) return undefined;
    if (eventTriggers.has(entry.dumpId) || entry.dependencies.some((id) => eventTriggers.has(id))) return split.eventTriggers;
    if (PRIVILEGES.has(entry.type)) return split.privileges;
    if (entry.type === "MATERIALIZED VIEW DATA") return split.refreshes;
    if (!postData) return split.preData;
    if (BUILDS.has(entry.type)) return split.builds;
    if (entry.type === "INDEX ATTACH") return split.attaches;
    if (entry.type === "STATISTICS") return split.statistics;
    return REST.has(entry.type) || ATTRIBUTES.has(entry.type) ? split.rest : split.postponed;
  }
}
