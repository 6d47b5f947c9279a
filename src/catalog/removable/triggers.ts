import { quoteIdent } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { type Removable, type RemovableTable, tableSql } from "./removable.ts";

/** `pg_trigger.tgenabled` as ALTER TABLE says it. */
const ENABLE: Readonly<Record<string, string>> = { O: "ENABLE TRIGGER", A: "ENABLE ALWAYS TRIGGER", R: "ENABLE REPLICA TRIGGER" };

/**
 * Triggers that somebody made on these tables and that would fire: all that are enabled, or those that fire even where
 * `session_replication_role` is `replica`.
 */
export async function readEnabledTriggers(
  session: Session,
  tables: ReadonlySet<number>,
  which: "all" | "always-or-replica",
): Promise<Removable[]> {
  // until 14 a partition's copy of a row trigger counts as the server's own, as those of foreign keys do
  const copies =
    session.serverVersion >= 150_000
      ? ""
      : "OR EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_trigger p ON p.tgrelid = h.inhparent AND p.tgname = g.tgname WHERE t.relispartition AND h.inhrelid = t.oid)";
  const rows = await session.query<{ oid: number; schema: string; table: string; name: string; enabled: string }>(
    `
SELECT t.oid, n.nspname AS schema, t.relname AS table, g.tgname AS name, g.tgenabled::text AS enabled
FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_class t ON t.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE g.tgrelid = ANY ($1::pg_catalog.oid[]) AND (NOT g.tgisinternal ${copies}) AND g.tgenabled = ANY ($2::"char"[])
ORDER BY 2, 3, g.tgname`,
    [[...tables], which === "all" ? ["O", "A", "R"] : ["A", "R"]],
  );
  return rows.map((row) => {
    const table: RemovableTable = { oid: row.oid, schema: row.schema, name: row.table };
    // ONLY: each partition's has a state of its own
    const alter = `ALTER TABLE ONLY ${tableSql(table)}`;
    return {
      kind: "trigger",
      table,
      name: row.name,
      takeOff: `${alter} DISABLE TRIGGER ${quoteIdent(row.name)}`,
      putBack: `${alter} ${ENABLE[row.enabled]} ${quoteIdent(row.name)}`,
      validate: undefined,
    };
  });
}

/** Tables of these whose row security binds their owner too, and so refuses his COPY. */
export async function readForcedRowSecurity(session: Session, tables: ReadonlySet<number>): Promise<Removable[]> {
  const rows = await session.query<RemovableTable>(
    `SELECT t.oid, n.nspname AS schema, t.relname AS name FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
     WHERE t.oid = ANY ($1::pg_catalog.oid[]) AND t.relrowsecurity AND t.relforcerowsecurity ORDER BY 2, 3`,
    [[...tables]],
  );
  return rows.map((table) => ({
    kind: "row-security",
    table,
    name: table.name,
    takeOff: `ALTER TABLE ${tableSql(table)} NO FORCE ROW LEVEL SECURITY`,
    putBack: `ALTER TABLE ${tableSql(table)} FORCE ROW LEVEL SECURITY`,
    validate: undefined,
  }));
}
