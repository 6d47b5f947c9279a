import { quoteIdent } from "../postgres/quote.ts";

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\bDATABASE (?<name>"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/g;

/** The statements about one database, told of another: only names behind the word DATABASE, never inside quotes. */
export function renameDatabase(sql: string, from: string, to: string): string {
  return sql.replace(TOKEN, (token: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as { name?: string };
    if (groups.name === undefined) return token;
    const name = groups.name.startsWith('"') ? groups.name.slice(1, -1).replaceAll('""', '"') : groups.name;
    return name === from ? `DATABASE ${quoteIdent(to)}` : token;
  });
}
