import { parseEntries, type SchemaEntry } from "./entries.ts";

/** Finds the statements that give a table, index or materialized view the statistics that the source has of it. */
export type CarriedStatistics = (relation: { schema: string; name: string }) => SchemaEntry | undefined;

/**
 * The script of `pg_dump --statistics-only` (PostgreSQL 18), by relation. What was never analyzed has none, and neither has a name that
 * pg_dump prints like another one (line breaks are printed as blanks).
 */
export function parseStatistics(script: string): CarriedStatistics {
  const found = new Map<string, SchemaEntry | undefined>();
  for (const entry of parseEntries(script)) {
    if (entry.type !== "STATISTICS DATA") continue;
    const key = keyOf(entry);
    const isKnown = /\bpg_restore_attribute_stats\(/.test(entry.sql);
    found.set(key, isKnown && !found.has(key) ? entry : undefined);
  }
  return (relation) => (/[\r\n]/.test(relation.schema + relation.name) ? undefined : found.get(keyOf(relation)));
}

function keyOf({ schema, name }: { schema: string; name: string }): string {
  return JSON.stringify([schema, name]);
}
