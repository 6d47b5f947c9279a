import { quoteIdent } from "../../postgres/quote.ts";

export interface DumpReason {
  /** What the server or pg_dump said. */
  reason: string;
  sqlstate: string | undefined;
  user: string;
}

/** What to do about a pg_dump that failed, by the server's SQLSTATE, or by its own words where there is none. */
export function dumpHint({ reason, sqlstate, user }: DumpReason): string | undefined {
  switch (sqlstate) {
    case "42501":
      return permissionHint(reason, user);
    case "22021": // character_not_in_repertoire
    case "22P05": // untranslatable_character
      return "A name, comment or function body in the database holds bytes that are not valid in its encoding (SQL_ASCII checks none). Find it with `pg_dump --schema-only --encoding=SQL_ASCII | iconv -f UTF-8`, and write it again.";
    case "57014":
      return "A statement of pg_dump was cancelled, or waited too long for a table that another session has locked. Try again when no DDL runs on the source.";
    case "55P03":
      return "Another session has locked a table. Try again when no DDL runs on the source.";
    case "53200":
      return "The server is out of shared memory for locks: raise max_locks_per_transaction there; pg_dump locks every table.";
    case "42704":
    case "22023":
      return /snapshot/.test(reason)
        ? "The session that exported the snapshot has ended, or the snapshot is of another database or server."
        : undefined;
    case "57P01":
    case "57P02":
    case "57P03":
    case "ECONNRESET":
    case "EPIPE":
    case "ETIMEDOUT":
      return "The server ended the connection while pg_dump read the schema. Its log says why; try again.";
    case undefined:
      return ownHint(reason);
    default:
      return undefined;
  }
}

function permissionHint(reason: string, user: string): string {
  const match = /permission denied for (table|view|materialized view|sequence|schema|large object) (.+)$/.exec(reason);
  const role = quoteIdent(user);
  const [, kind, name] = match ?? [];
  if (kind === undefined || name === undefined)
    return `Connect as the owner or a superuser, or: GRANT pg_read_all_data TO ${role} (PostgreSQL 14 and newer).`;
  const what =
    kind === "schema"
      ? `USAGE ON SCHEMA ${quoteIdent(name)}`
      : `SELECT ON ${kind === "sequence" ? "SEQUENCE " : ""}${kind === "large object" ? `LARGE OBJECT ${name}` : quoteIdent(name)}`;
  return `GRANT ${what} TO ${role}; or connect as the owner.`;
}

function ownHint(reason: string): string | undefined {
  if (/server version mismatch/.test(reason)) return "This pg_dump is older than the server. Install a newer one, or pass --pg-dump wasm.";
  if (/SIGKILL|out of memory/.test(reason)) return "Something ended pg_dump from outside; a machine without memory left does.";
  return undefined;
}
