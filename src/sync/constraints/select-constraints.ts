import { readConstraintsOf, type RemovableConstraint } from "../../catalog/removable/constraints.ts";
import { readForeignKeys, type RemovableForeignKey } from "../../catalog/removable/foreign-keys.ts";
import { selectsAll, selectTables } from "../../catalog/select-tables.ts";
import { readOwnTables } from "../../catalog/tables.ts";
import { displayName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { LedgerEntry } from "../../target/ledger.ts";
import type { Run } from "../run.ts";

export type SelectedConstraint = RemovableForeignKey | RemovableConstraint;

/** The constraints of the selected tables, of the kinds that are asked for: foreign keys first, because they rest on others. */
export async function selectConstraints(run: Run, session: Session): Promise<SelectedConstraint[]> {
  const selected = await selectTables(session, await readOwnTables(session), run.config);
  const foreignKeys = (await readForeignKeys(session, selected)).filter(({ table }) => selected.has(table.oid));
  const all: SelectedConstraint[] = [...foreignKeys, ...(await readConstraintsOf(session, selected))];
  return all.filter(({ kind }) => run.config.kinds.includes(kind));
}

/** Those of the ledger's entries that `--table` and its like and `--kind` leave. A table that is gone can only be meant by saying nothing. */
export async function selectEntries(run: Run, session: Session, entries: readonly LedgerEntry[]): Promise<LedgerEntry[]> {
  const { config } = run;
  const kinds = new Set<string>(config.kinds);
  const ofKind = entries.filter(({ kind }) => kinds.has(kind));
  if (selectsAll(config)) return ofKind;
  const tables = await readOwnTables(session);
  const selected = await selectTables(session, tables, config);
  const names = new Set(tables.filter(({ oid }) => selected.has(oid)).map(({ schema, name }) => displayName(schema, name)));
  return ofKind.filter(({ schema, table }) => names.has(displayName(schema, table)));
}
