import { PgdittoError } from "../errors.ts";
import { dropOptionAttver } from "./attver.ts";
import { entryKey } from "./entry-key.ts";
import { topLevelLines } from "./script-lines.ts";

/** One object of the schema as pg_dump wrote it ("TOC entry" in pg_dump's words). */
export interface SchemaEntry {
  /** pg_dump's own number for it; `dependencies` refer to these. */
  dumpId: number;
  /** OIDs of the catalog and of the object in it on the source; 0 0 for entries without an object of their own. */
  classId: number;
  oid: number;
  dependencies: readonly number[];
  /** As pg_dump prints it: not quoted, line breaks made spaces. For people, and never to build SQL from. */
  name: string;
  /** `TABLE`, `INDEX`, `FK CONSTRAINT`, … */
  type: string;
  /** Empty when the object is in no schema. */
  schema: string;
  /** Empty when it has no owner. */
  owner: string;
  /** Its statements, as they are. */
  sql: string;
  /** Session settings in force for it: `SET default_tablespace = …;`. */
  settings: string;
  /** The same for the same object described in the same words, whatever the script: see `entryKey`. */
  key: string;
}

const TOC_LINE = /^-- TOC entry (\d+) \(class (\d+) OID (\d+)\)$/;
const NAME_LINE = /^-- (?:Statistics for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*?); Owner: (.*)$/;
const STATE_LINE = /^SET (default_tablespace|default_table_access_method|default_with_oids) = (.*);$/;
// \encoding precedes \connect to a database whose name is not plain ASCII (string_utils.c, appendPsqlMetaConnect)
const PSQL_LINES = /^\\(connect|encoding|restrict|unrestrict)\b/;

/**
 * Cuts the script of `pg_dump --verbose` in plain format into its entries.
 * @throws PgdittoError `dump` for a psql command it does not know, or a script without the verbose headers.
 */
export function parseEntries(script: string, emptiness: "refused" | "may be empty" = "refused"): SchemaEntry[] {
  const entries: SchemaEntry[] = [];
  const state = new Map<string, string>();
  let settings = "";
  let open: { header: Omit<SchemaEntry, "sql" | "key">; parts: string[] } | undefined;
  let from = -1; // offset of the open entry's text that is not yet in `parts`
  let headerEnd = 0;

  const take = (until: number): void => {
    if (open && from >= 0) open.parts.push(script.slice(from, until));
    from = -1;
  };
  const close = (): void => {
    if (open) {
      const entry = { ...open.header, sql: statementsOf(open.header.type, open.parts.join("").trim()) };
      entries.push({ ...entry, key: entryKey(entry) });
    }
    open = undefined;
  };

  for (const line of topLevelLines(script)) {
    if (line.text.startsWith("-- TOC entry ")) {
      take(line.at);
      close();
      const { header, end } = readHeader(script, line.at);
      open = { header: { ...header, settings }, parts: [] };
      headerEnd = end;
      from = end;
    } else if (line.at >= headerEnd && STATE_LINE.test(line.text)) {
      const [, name = "", value = ""] = STATE_LINE.exec(line.text) ?? [];
      take(line.at);
      from = open ? line.at + line.text.length : -1;
      state.set(name, value);
      settings = [...state].map(([each, its]) => `SET ${each} = ${its};`).join(" ");
    } else if (line.text.startsWith("\\")) {
      if (!PSQL_LINES.test(line.text)) throw unknownCommand(line.text);
      // what follows, up to the next header, is the preamble of a new psql connection
      take(line.at);
    } else if (from >= 0 && line.at >= headerEnd && (line.text === "--" || line.text.startsWith("-- Completed on "))) {
      // the frame of the next header, or the end; a line like this within a quoted name is no line of the top level
      take(line.at);
    }
  }
  take(script.length);
  close();
  // with --create there is always the database
  if (entries.length === 0 && emptiness === "refused")
    throw new PgdittoError("dump", "pg_dump's script holds no entries.", { hint: "Is it really pg_dump that ran? Try --pg-dump wasm." });
  return entries;
}

function statementsOf(type: string, text: string): string {
  // "-- *not* creating schema, since initdb creates it"
  if (/^(?:--[^\n]*(?:\n\s*|$))*$/.test(text)) return "";
  // only these can have column options; a function's body may hold the same words
  return /TABLE|VIEW/.test(type) ? dropOptionAttver(text).trim() : text;
}

function readHeader(script: string, at: number): { header: Omit<SchemaEntry, "sql" | "settings" | "key">; end: number } {
  const header = { dumpId: 0, classId: 0, oid: 0, dependencies: [] as number[], name: "", type: "", schema: "", owner: "" };
  let position = at;
  for (;;) {
    const newline = script.indexOf("\n", position);
    const end = newline === -1 ? script.length : newline;
    const line = script.slice(position, end).replace(/\r$/, "");
    position = end + 1;
    const toc = TOC_LINE.exec(line);
    const name = NAME_LINE.exec(line);
    if (toc) [header.dumpId, header.classId, header.oid] = [Number(toc[1]), Number(toc[2]), Number(toc[3])];
    else if (line.startsWith("-- Dependencies: ")) header.dependencies = line.slice(17).trim().split(" ").map(Number);
    else if (name) {
      header.name = name[1] ?? "";
      header.type = name[2] ?? "";
      header.schema = name[3] === "-" ? "" : (name[3] ?? "");
      header.owner = (name[4] ?? "").replace(/; Tablespace: .*$/, "").replace(/^-$/, "");
    } else if (line === "--" || newline === -1) break;
  }
  if (header.type === "") throw new PgdittoError("dump", `pg_dump's entry ${header.dumpId} has no name line.`);
  return { header, end: position };
}

function unknownCommand(line: string): PgdittoError {
  return new PgdittoError("dump", `pg_dump wrote a psql command that pgditto does not know: ${line.slice(0, 60)}`, {
    hint: "Try another pg_dump (--pg-dump native|wasm) and report this.",
  });
}
