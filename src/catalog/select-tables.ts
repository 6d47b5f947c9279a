import { PgdittoError, type Side } from "../errors.ts";
import { displayName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { nearest } from "../util/nearest.ts";
import { type NamePattern, parsePattern } from "./patterns.ts";
import type { TableInfo } from "./tables.ts";

/** What a pattern is matched against. */
export type TablePlace = Pick<TableInfo, "oid" | "schema" | "name" | "kind" | "parents">;

export interface TablePatterns {
  tables: readonly string[];
  excludeTables: readonly string[];
  schemas: readonly string[];
  excludeSchemas: readonly string[];
}

/** Nobody has asked for some tables only. */
export function selectsAll({ tables, excludeTables, schemas, excludeSchemas }: TablePatterns): boolean {
  return [tables, excludeTables, schemas, excludeSchemas].every((patterns) => patterns.length === 0);
}

/**
 * The tables whose rows are copied, or whatever else is done with the selected ones. As in pg_dump: without a schema a table pattern matches what the role's own search_path shows,
 * and `-n`/`-N` do not matter where `-t` is given. A partitioned table brings its partitions, and takes them with it.
 * @throws PgdittoError `no-match` for the first pattern that matches nothing, with the names that resemble it.
 */
export async function selectTables(session: Session, all: readonly TablePlace[], patterns: TablePatterns): Promise<Set<number>> {
  const bySchema = async (texts: readonly string[]): Promise<Set<number> | undefined> => {
    if (texts.length === 0) return undefined;
    const found = await Promise.all(texts.map((text) => matchSchemas(session, parsePattern(text, false), all)));
    return new Set(all.filter((table) => found.some((schemas) => schemas.has(table.schema))).map((table) => table.oid));
  };
  const byTable = async (texts: readonly string[]): Promise<Set<number> | undefined> => {
    if (texts.length === 0) return undefined;
    const found = new Set<number>();
    for (const text of texts) for (const oid of await matchTables(session, parsePattern(text, true), all)) found.add(oid);
    return withDescendants(found, all);
  };
  const wanted = (await byTable(patterns.tables)) ?? (await bySchema(patterns.schemas));
  const unwanted = await byTable(patterns.excludeTables);
  const unwantedSchemas = patterns.tables.length > 0 ? undefined : await bySchema(patterns.excludeSchemas);
  const selected = all.filter(
    ({ oid }) => (wanted === undefined || wanted.has(oid)) && unwanted?.has(oid) !== true && unwantedSchemas?.has(oid) !== true,
  );
  return new Set(selected.map((table) => table.oid));
}

async function matchTables(session: Session, pattern: NamePattern, all: readonly TablePlace[]): Promise<number[]> {
  const where =
    pattern.schema === undefined
      ? "pg_catalog.pg_table_is_visible(c.oid)"
      : `n.nspname OPERATOR(pg_catalog.~) $2 COLLATE pg_catalog.default`;
  const values = pattern.schema === undefined ? [pattern.name] : [pattern.name, pattern.schema];
  // the role's own search_path decides what an unqualified name means; nothing but this query runs under it
  await session.run("RESET search_path");
  let rows: Array<{ oid: number }>;
  try {
    rows = await session.query<{ oid: number }>(
      `SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
       WHERE c.relname OPERATOR(pg_catalog.~) $1 COLLATE pg_catalog.default AND ${where}`,
      values,
    );
  } catch (error) {
    throw badRegex(pattern, error);
  }
  await session.run("SELECT pg_catalog.set_config('search_path', '', false)");
  const known = new Set(all.map((table) => table.oid));
  const found = rows.map((row) => row.oid).filter((oid) => known.has(oid));
  if (found.length === 0)
    throw noMatch(
      session.side,
      pattern,
      "table",
      all.flatMap((table) => [table.name, displayName(table.schema, table.name)]),
      all,
    );
  return found;
}

async function matchSchemas(session: Session, pattern: NamePattern, all: readonly TablePlace[]): Promise<Set<string>> {
  const rows = await session
    .query<{ name: string }>("SELECT nspname AS name FROM pg_catalog.pg_namespace WHERE nspname ~ $1 COLLATE pg_catalog.default", [
      pattern.name,
    ])
    .catch((error: unknown) => {
      throw badRegex(pattern, error);
    });
  if (rows.length === 0)
    throw noMatch(
      session.side,
      pattern,
      "schema",
      all.map((table) => table.schema),
      all,
    );
  return new Set(rows.map((row) => row.name));
}

function withDescendants(found: Set<number>, all: readonly TablePlace[]): Set<number> {
  const partitioned = new Set(all.filter((table) => table.kind === "p").map((table) => table.oid));
  for (let grown = true; grown;) {
    grown = false;
    for (const table of all) {
      if (found.has(table.oid) || !table.parents.some((parent) => found.has(parent) && partitioned.has(parent))) continue;
      found.add(table.oid);
      grown = true;
    }
  }
  return found;
}

function noMatch(side: Side, pattern: NamePattern, what: string, names: readonly string[], all: readonly TablePlace[]): PgdittoError {
  const short = pattern.text.replaceAll(/["*?]/g, "");
  const near = nearest(short, names);
  const elsewhere = all.filter((table) => table.name === short).map((table) => displayName(table.schema, table.name));
  const hint =
    elsewhere.length > 0
      ? `It is not on the ${side} role's search_path; write ${elsewhere.join(" or ")}.`
      : near.length > 0
        ? `Did you mean ${near.join(", ")}?`
        : side === "source"
          ? "pgditto plan lists the tables of the source."
          : "Patterns are pg_dump's: schema.table, with * and ? as wildcards.";
  return new PgdittoError("no-match", `The pattern ${pattern.text} matches no ${what} of the ${side}.`, {
    object: pattern.text,
    side,
    hint,
  });
}

function badRegex(pattern: NamePattern, error: unknown): PgdittoError {
  return new PgdittoError("usage", `The pattern ${pattern.text} is not valid: ${error instanceof Error ? error.message : String(error)}`, {
    object: pattern.text,
    hint: "Patterns are pg_dump's: * and ? are wildcards, special characters belong in double quotes.",
    cause: error,
  });
}
