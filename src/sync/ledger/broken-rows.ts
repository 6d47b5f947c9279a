import { displayRemovable } from "../../catalog/removable/removable.ts";
import type { Difference, PgdittoError } from "../../errors.ts";
import { displayIdent, displayName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { LedgerEntry } from "../../target/ledger.ts";
import { plural } from "../../util/format.ts";
import { type Orphans, readOrphans } from "../../verify/orphans.ts";

/** Values that people are shown. */
const EXAMPLES = 20;

/** What breaks a constraint: of a foreign key every row that refers to nothing, of others the row that the server names. */
export async function brokenRows(session: Session, entry: LedgerEntry, error: PgdittoError, signal: AbortSignal): Promise<Difference> {
  const orphans = entry.kind === "foreign-key" ? await readOrphans(session, entry, EXAMPLES, signal) : undefined;
  return (
    orphanRows(displayRemovable(entry), orphans) ?? {
      kind: entry.kind,
      object: displayRemovable(entry),
      source: "",
      target: error.detail ?? error.message,
    }
  );
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
