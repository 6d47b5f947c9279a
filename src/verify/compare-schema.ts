import type { Difference } from "../errors.ts";
import { splitEntries } from "../plan/split-entries.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { groupBy } from "../util/group-by.ts";

export interface SchemaOptions {
  /** Named extensions are left out on both sides. */
  skipExtensions: readonly string[];
  /** Foreign keys by OID on the source that may be missing or NOT VALID on the target. */
  leftOut: ReadonlySet<number>;
  /** Both servers are of one major version. Else expressions may be written in other words, and of what holds them only the names are compared. */
  sameMajor: boolean;
}

/** What the server writes out from a parsed form, in words that change from one major version to the next (`ruleutils.c`). */
const REWRITTEN = new Set(["VIEW", "MATERIALIZED VIEW", "RULE", "POLICY", "STATISTICS"]);
const ROUTINES = new Set(["FUNCTION", "PROCEDURE"]);
/** Characters of a line that are shown. */
const SHOWN = 60;

/**
 * Two schema scripts, entry by entry: missing, extra, different. Entries are the same by type, schema and name as pg_dump prints them;
 * where several share those (operators, casts) they are compared as a set. The numbers that pg_dump gives them and their order mean nothing.
 */
export function compareSchemas(source: readonly SchemaEntry[], target: readonly SchemaEntry[], options: SchemaOptions): Difference[] {
  const [there, here] = [comparable(source, options), comparable(target, options)];
  const leftOut = new Set(source.filter((entry) => options.leftOut.has(entry.oid) && entry.type === "FK CONSTRAINT").map(keyOf));
  const keys = [...new Set([...there.keys(), ...here.keys()])].filter((key) => !leftOut.has(key));
  return keys.flatMap((key) => compareEntries(there.get(key) ?? [], here.get(key) ?? [], options.sameMajor));
}

/** How many entries there are to compare. */
export function countEntries(entries: readonly SchemaEntry[], skipExtensions: readonly string[]): number {
  return schemaOf(entries, skipExtensions).length;
}

function comparable(entries: readonly SchemaEntry[], { skipExtensions }: SchemaOptions): Map<string, SchemaEntry[]> {
  return groupBy(schemaOf(entries, skipExtensions), keyOf);
}

/** Without the database itself, and without large objects and values, which are compared on their own. */
function schemaOf(entries: readonly SchemaEntry[], skipExtensions: readonly string[]): SchemaEntry[] {
  const { preData, statistics, builds, attaches, postponed, rest, privileges, refreshes, eventTriggers } = splitEntries(
    entries,
    skipExtensions,
  );
  return [preData, statistics, builds, attaches, postponed, rest, privileges, refreshes, eventTriggers].flat();
}

function keyOf({ type, schema, name }: SchemaEntry): string {
  return JSON.stringify([type, schema, name]);
}

function compareEntries(source: readonly SchemaEntry[], target: readonly SchemaEntry[], sameMajor: boolean): Difference[] {
  const texts = (entry: SchemaEntry): string => (sameMajor ? textOf(entry) : textOfAnyMajor(entry));
  const left = [...target];
  const alone: SchemaEntry[] = [];
  for (const entry of source) {
    const twin = left.findIndex((other) => texts(other) === texts(entry));
    if (twin >= 0) left.splice(twin, 1);
    else alone.push(entry);
  }
  const pairs = Math.max(alone.length, left.length);
  return Array.from({ length: pairs }, (_, i) => difference(alone[i], left[i]));
}

function difference(source: SchemaEntry | undefined, target: SchemaEntry | undefined): Difference {
  const entry = source ?? target;
  const kind = entry?.type.toLowerCase() ?? "";
  const object = entry?.schema ? `${entry.schema}.${entry.name}` : (entry?.name ?? "");
  if (!source || !target) return { kind, object, source: source ? "there" : "missing", target: target ? "there" : "missing" };
  const [there, here] = [textOf(source).split("\n"), textOf(target).split("\n")];
  const at = there.findIndex((line, i) => line !== here[i]);
  const show = (line: string | undefined): string => {
    const text = line?.trim() ?? "";
    return text === "" ? "nothing" : text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  };
  const first = at === -1 ? there.length : at;
  return { kind, object, source: show(there[first]), target: show(here[first]) };
}

/** What the entry does, without what may differ between two that do the same. */
function textOf(entry: SchemaEntry): string {
  const { type, sql, settings } = entry;
  // made into what was there before, privileges come in another order, and mean the same
  if (type === "ACL" || type === "DEFAULT ACL") return sorted(sql);
  // pg_dump gives the columns of inheritance children another order (a table's own order shows in its parents)
  const text = type === "TABLE" && /\nINHERITS \(/.test(sql) ? sorted(sql) : sql;
  const tablespace = /TABLE$|INDEX|CONSTRAINT|MATERIALIZED VIEW$/.test(type)
    ? (/SET default_tablespace = [^;]*;/.exec(settings)?.[0] ?? "")
    : "";
  return `${text}\n${tablespace}`.trim();
}

function textOfAnyMajor(entry: SchemaEntry): string {
  const { type, sql } = entry;
  // a body that is no string (BEGIN ATOMIC, RETURN) is kept parsed
  if (REWRITTEN.has(type) || (ROUTINES.has(type) && !/^ {4}AS /m.test(sql))) return "";
  return textOf({ ...entry, sql: NEWER.get(type)?.(sql) ?? sql });
}

/** What a newer server tells of an object, by type of entry, that an older one never knew. */
const NEWER: ReadonlyMap<string, (sql: string) => string> = new Map([
  // from 18 on NOT NULL has a name
  ["TABLE", (sql) => sql.replaceAll(/ CONSTRAINT (?:"(?:[^"]|"")*"|[^\s"]+) NOT NULL/g, " NOT NULL")],
  // from 14 on a range type has a multirange
  ["TYPE", (sql) => sql.replaceAll(/,?\n {4}multirange_type_name = (?:"(?:[^"]|"")*"|[^\s",])+/g, "")],
]);

function sorted(sql: string): string {
  return sql
    .split("\n")
    .map((line) => line.replace(/,$/, ""))
    .toSorted()
    .join("\n");
}
