import { renameDatabase } from "./rename-database.ts";

const WORDS = /'(?:[^']|'')*'|"(?:[^"]|"")*"| LOCALE_PROVIDER = libc\b| LOCALE = (?<locale>'(?:[^']|'')*')/g;

/**
 * pg_dump's CREATE DATABASE under another name, in words that the target's server knows: a newer pg_dump writes LOCALE_PROVIDER for
 * older servers too, which came with PostgreSQL 15, and LOCALE, which came with 13. Undefined when there is no such statement.
 */
export function createDatabaseSql(sql: string, from: string, to: string, serverVersion: number): string | undefined {
  const statement = /^CREATE DATABASE [^]*?;$/m.exec(renameDatabase(sql, from, to))?.[0];
  return statement?.replace(WORDS, (word: string, ...rest: unknown[]) => {
    const { locale } = rest.at(-1) as { locale?: string };
    if (locale !== undefined) return serverVersion < 130_000 ? ` LC_COLLATE = ${locale} LC_CTYPE = ${locale}` : word;
    return word === " LOCALE_PROVIDER = libc" && serverVersion < 150_000 ? "" : word;
  });
}
