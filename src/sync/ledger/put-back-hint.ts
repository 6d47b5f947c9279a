import type { PgdittoError } from "../../errors.ts";
import type { LedgerEntry } from "../../target/ledger.ts";

/** The command that puts back what a dead reload took off. */
export const REPAIR = "pgditto repair";

/** What stands in the way, by SQLSTATE. */
const REASONS: Readonly<Record<string, string>> = {
  "42P01": "A table has another name now, or is gone.",
  "3F000": "A schema has another name now, or is gone.",
  "42703": "A column has another name now, or is gone.",
  "42704": "What was put back NOT VALID is gone again.",
  "42830": "The unique constraint that it refers to is missing: put that back with it, or first.",
  "42710": "Drop or rename what has its name now, or keep that instead.",
  "42P07": "Drop or rename what has its name now, or keep that instead.",
  "42501": "The role lacks a privilege that it had when this was taken off.",
};

/** How to go on with what could not be put back: its row stays, and nobody but its owner knows whether it is still wanted. */
export function putBackHint(failed: ReadonlyArray<{ entry: LedgerEntry; error: PgdittoError }>, again: string): string {
  const [first] = failed;
  const ids = failed.map(({ entry }) => entry.id);
  const reason = REASONS[first?.error.sqlstate ?? ""];
  return [
    ...(reason === undefined ? [] : [reason]),
    `It stays in the table pgditto.ledger. Mend what is in the way, and \`${again}\` puts it back; or run the statement yourself, changed as need be, and strike the row out: DELETE FROM pgditto.ledger WHERE id ${ids.length === 1 ? `= ${ids[0]}` : `IN (${ids.join(", ")})`};`,
  ].join(" ");
}
