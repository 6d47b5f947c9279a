import { displayRemovable } from "../../catalog/removable/removable.ts";
import { type Difference, PgdittoError } from "../../errors.ts";
import { displayIdent, displayName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { isConnectionLoss } from "../../postgres/sqlstate.ts";
import type { LedgerEntry } from "../../target/ledger.ts";
import { plural } from "../../util/format.ts";
import { type Orphans, readOrphans } from "../../verify/orphans.ts";
import { readUnfitRows } from "../../verify/unfit-rows.ts";

/** Values that people are shown. */
const EXAMPLES = 20;

/** Whole rows that people are shown. */
const ROWS = 5;

/**
 * What breaks a constraint: of a foreign key every row that refers to nothing, of CHECK and NOT NULL some, of others the one that the server names;
 * that one also where the role may not look at the rows, which is no reason to leave anything off.
 */
export async function brokenRows(session: Session, entry: LedgerEntry, error: PgdittoError, signal: AbortSignal): Promise<Difference> {
  try {
    const found = await findRows(session, entry, signal);
    if (found) return found;
  } catch (failure) {
    if (signal.aborted || !(failure instanceof PgdittoError) || failure.code === "internal" || isConnectionLoss(failure.sqlstate))
      throw failure;
  }
  return { kind: entry.kind, object: displayRemovable(entry), source: "", target: error.detail ?? error.message };
}

async function findRows(session: Session, entry: LedgerEntry, signal: AbortSignal): Promise<Difference | undefined> {
  const { kind } = entry;
  const object = displayRemovable(entry);
  if (kind === "foreign-key") return orphanRows(object, await readOrphans(session, entry, EXAMPLES, signal));
  if (kind !== "check" && kind !== "not-null") return undefined;
  const unfit = await readUnfitRows(session, entry, ROWS, signal);
  if (!unfit || unfit.count === 0) return undefined;
  const target = `${plural(unfit.count, "row")}: ${unfit.examples.join(", ")}${unfit.count > ROWS ? ", …" : ""}`;
  return { kind, object, source: "", target };
}

/** One line of the table of differences; undefined when there are none. */
export function orphanRows(object: string, orphans: Orphans | undefined): Difference | undefined {
  if (!orphans || orphans.count === 0) return undefined;
  const { columns, examples, refTable, count } = orphans;
  const names = columns.length === 1 ? displayIdent(columns[0] ?? "") : `(${columns.map(displayIdent).join(", ")})`;
  const values = examples.map((row) => (row.length === 1 ? (row[0] ?? "NULL") : `(${row.map((value) => value ?? "NULL").join(", ")})`));
  const more = examples.length === EXAMPLES ? ", …" : "";
  return {
    kind: "foreign-key",
    object,
    source: `refers to ${displayName(refTable.schema, refTable.name)}`,
    target: `${plural(count, "row")} without a match: ${names} = ${values.join(", ")}${more}`,
  };
}
