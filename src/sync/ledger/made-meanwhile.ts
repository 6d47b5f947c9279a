import { readConstraintsOf } from "../../catalog/removable/constraints.ts";
import { readForeignKeys } from "../../catalog/removable/foreign-keys.ts";
import { readSecondaryIndexes } from "../../catalog/removable/indexes.ts";
import type { Removable } from "../../catalog/removable/removable.ts";
import type { Session } from "../../postgres/session.ts";
import type { LedgerEntry } from "../../target/ledger.ts";

/**
 * Whether what stands under the entry's name, made by somebody else while it was off, is the same to the letter: the statement that would
 * bring it back is the entry's.
 */
export async function isSameAsThere(session: Session, entry: LedgerEntry): Promise<boolean> {
  const [table] = await session.query<{ oid: number }>(
    `SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [entry.schema, entry.table],
  );
  if (!table) return false;
  const there = await readLike(session, entry, new Set([table.oid]));
  return there.some((other) => other.kind === entry.kind && other.name === entry.name && other.putBack === entry.putBack);
}

async function readLike(session: Session, { kind }: LedgerEntry, tables: ReadonlySet<number>): Promise<readonly Removable[]> {
  if (kind === "foreign-key") return await readForeignKeys(session, tables);
  if (kind === "index") return await readSecondaryIndexes(session, tables);
  return await readConstraintsOf(session, tables);
}
