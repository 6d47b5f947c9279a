import type { Fail, RawStatement } from "./split-script.ts";

export const NO_TRANSACTION = "-- pgditto: no-transaction";

/** They begin or end a transaction; ROLLBACK TO a savepoint does not. */
const CONTROL = /^(?:BEGIN|START TRANSACTION|COMMIT|END|ABORT|ROLLBACK(?! (?:(?:WORK|TRANSACTION) )?TO\b))\b/;
/** PostgreSQL refuses them in a transaction block (25001): better now than hours later. */
const ALONE =
  /^(?:VACUUM|ALTER SYSTEM|(?:CREATE|DROP) (?:DATABASE|TABLESPACE)|CREATE (?:UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX (?:(?:INDEX|TABLE|SCHEMA) CONCURRENTLY|DATABASE|SYSTEM))\b/;

/** Whether it begins or ends a transaction. */
export function controlsTransaction({ words }: Pick<RawStatement, "words">): boolean {
  return CONTROL.test(words.join(" "));
}

/** @throws what `fail` makes, of a statement that cannot run, or must not. */
export function checkStatement({ words, line }: Pick<RawStatement, "words" | "line">, transaction: boolean, fail: Fail): void {
  const text = words.join(" ");
  const command = words.slice(0, 2).join(" ");
  // nobody could drop or rename the database any more
  if (command === "PREPARE TRANSACTION") throw fail(line, "PREPARE TRANSACTION would leave a transaction behind.", "Write COMMIT.");
  if (!transaction) return;
  const top = `the line \`${NO_TRANSACTION}\` at the top`;
  if (CONTROL.test(text))
    throw fail(
      line,
      `${words[0] ?? ""} stands in a file that runs in one transaction.`,
      `Leave it out. A file with ${top} has its own transactions.`,
    );
  if (ALONE.test(text))
    throw fail(line, `${command} cannot run within a transaction, and the file runs in one.`, `Give it a file of its own with ${top}.`);
}
