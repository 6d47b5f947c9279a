import type { PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import { printable } from "../../report/style.ts";
import { plural } from "../../util/format.ts";
import { withoutState } from "../without-state.ts";

/** So many tables are named; the rest is a number. */
const NAMED = 20;

/** Once tables have new rows, no hint may say that the target is as it was. It says which are which instead. */
export function afterFailure(
  error: PgdittoError,
  rows: { fresh: readonly string[]; old: readonly string[] },
  off: number | undefined,
): PgdittoError {
  const hint = withoutState(error.hint);
  const told = [
    error.detail,
    ...(rows.fresh.length > 0 ? [`New rows: ${named(rows.fresh)}.`] : []),
    ...(rows.old.length > 0 ? [`Old rows: ${named(rows.old)}.`] : []),
  ].filter((line) => line !== undefined);
  const state =
    rows.fresh.length === 0 ? "Every table has its old rows." : "Each table has either all of its new rows or all of its old ones.";
  const ledger =
    off === 0
      ? "Everything that was taken off is back."
      : `${off === undefined ? "Things" : plural(off, "thing")} that had been taken off could not be put back yet: \`pgditto repair\` does that, and so does the next run.`;
  return withFacts(error, { hint: [state, ledger, hint].filter((part) => part !== "").join(" "), detail: told.join("\n") });
}

/** Nothing of it is left, whatever it had done. */
export function rolledBack(error: PgdittoError): PgdittoError {
  const hint = withoutState(error.hint);
  return withFacts(error, { hint: `The target is as it was: the transaction was rolled back.${hint === "" ? "" : ` ${hint}`}` });
}

/** The server was told to commit, and was not heard of again. */
export function perhapsCommitted(error: PgdittoError): PgdittoError {
  const state =
    "The answer to COMMIT was lost: it may have been committed. Either all tables have their new rows or all have their old ones.";
  return withFacts(error, { hint: `${state} ${withoutState(error.hint)}`.trim() });
}

function named(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).map(printable).join(", ")}${more}`;
}
