import type { TableInfo } from "../../src/catalog/tables.ts";
import type { SchemaEntry } from "../../src/schema/entries.ts";

/** A small table of the source's catalog; what a test does not name is ordinary. */
export function makeTable(parts: Partial<TableInfo> & Pick<TableInfo, "oid">): TableInfo {
  return {
    schema: "public",
    name: `t${parts.oid}`,
    kind: "r",
    bytes: 8192,
    blocks: Math.ceil((parts.bytes ?? 8192) / 8192),
    extendedStatistics: false,
    rowEstimate: 0,
    unlogged: false,
    root: parts.oid,
    parents: [],
    file: 0,
    columns: [{ name: "id", number: 1, type: 23, generated: false }],
    ...parts,
  };
}

/** An entry of pg_dump's script. */
export function makeEntry(parts: Partial<SchemaEntry> & Pick<SchemaEntry, "dumpId" | "type">): SchemaEntry {
  return {
    classId: 0,
    oid: 0,
    dependencies: [],
    name: `e${parts.dumpId}`,
    schema: "public",
    owner: "me",
    sql: `-- ${parts.type} ${parts.dumpId}\nSELECT ${parts.dumpId};`,
    settings: "",
    key: `key ${parts.dumpId}`,
    ...parts,
  };
}
