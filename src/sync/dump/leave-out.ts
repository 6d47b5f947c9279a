import type { SchemaEntry } from "../../schema/entries.ts";
import { topLevelLines } from "../../schema/script-lines.ts";
import type { Run } from "../run.ts";

/** Owners, privileges and tablespaces that an import is to go without: pg_dump would have left them out of the script. */
export function leaveOut({ config }: Run, entries: readonly SchemaEntry[]): SchemaEntry[] {
  const { noOwner, noAcl, noTablespaces } = config;
  return entries
    .filter(({ type }) => !noAcl || (type !== "ACL" && type !== "DEFAULT ACL"))
    .map((entry) => (noOwner ? { ...entry, sql: withoutOwner(entry.sql) } : entry))
    .map((entry) => (noTablespaces ? withoutTablespace(entry) : entry));
}

/** As pg_dump writes it: a statement on a line of its own, at the top level, so that no look-alike in a function's body is one. */
const OWNER = /^ALTER [A-Z ]+ .* OWNER TO [^;]+;$/;

function withoutOwner(sql: string): string {
  if (!sql.includes(" OWNER TO ")) return sql;
  let [rest, from] = ["", 0];
  for (const { text, at } of topLevelLines(sql)) {
    if (!OWNER.test(text)) continue;
    rest += sql.slice(from, at);
    from = at + text.length;
  }
  return `${rest}${sql.slice(from)}`.trim();
}

function withoutTablespace(entry: SchemaEntry): SchemaEntry {
  const settings = entry.settings.replace(
    /SET default_tablespace = (?:[^;"']|"(?:[^"]|"")*"|'(?:[^']|'')*')*;/g,
    "SET default_tablespace = '';",
  );
  const sql = entry.type === "DATABASE" ? entry.sql.replace(/ TABLESPACE = (?:"(?:[^"]|"")*"|\w+)/, "") : entry.sql;
  return { ...entry, settings, sql };
}
