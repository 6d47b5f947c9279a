import { createHash } from "node:crypto";

import { PgdittoError } from "../../errors.ts";
import { expandVariables, type Variables, wordsExpanded } from "./expand-variables.ts";
import { splitScript, type SplitScript } from "./split-script.ts";
import { checkStatement, controlsTransaction, NO_TRANSACTION } from "./statement-rules.ts";

/** A file of the user's SQL, read, cut and checked. */
export interface Script {
  /** The file as the user would name it, for messages. */
  name: string;
  /** All of it in one; false: each statement by itself. */
  transaction: boolean;
  /** Without `transaction`: whether statements of its own begin or end one. */
  ownTransactions: boolean;
  statements: readonly ScriptStatement[];
  variables: Variables;
  /** The same for the same statements with the same values: SHA-256, 22 characters of base64url. */
  digest: string;
}

export interface ScriptStatement {
  /** What is sent. */
  sql: string;
  /** What is shown: as it stands in the file. */
  raw: string;
  /** In the file, from 1. */
  line: number;
}

/** @throws PgdittoError `usage` that names file and line, of whatever could not be run. */
export function parseScript(name: string, source: string, variables: Variables): Script {
  const fail = (line: number, reason: string, hint: string): PgdittoError =>
    new PgdittoError("usage", `${name}:${line}: ${reason}`, { object: `${name}:${line}`, hint });
  const split = splitScript(source, fail);
  const transaction = !saysNoTransaction(split, fail);
  let ownTransactions = false;
  const statements = split.statements.map((statement): ScriptStatement => {
    const { text: raw, line } = statement;
    const sql = expandVariables(statement, variables, fail);
    const sent = { line, words: wordsExpanded(sql, statement, fail) };
    checkStatement(sent, transaction, fail);
    ownTransactions ||= controlsTransaction(sent);
    return { sql, raw, line };
  });
  const digest = createHash("sha256").update(JSON.stringify([transaction, statements.map(({ sql }) => sql)]));
  return {
    name,
    transaction,
    ownTransactions,
    statements,
    variables,
    digest: digest.digest("base64url").slice(0, 22),
  };
}

/** A misspelt or misplaced one would be a comment, and nobody would know. */
function saysNoTransaction({ comments }: SplitScript, fail: (line: number, reason: string, hint: string) => Error): boolean {
  let found = false;
  for (const { text, line, before } of comments) {
    if (!/^--\s*pgditto\s*:/i.test(text)) continue;
    if (!/^--\s*pgditto:\s*no-transaction\s*$/.test(text))
      throw fail(line, "pgditto does not know this instruction.", `The only one is \`${NO_TRANSACTION}\`.`);
    if (before > 0) throw fail(line, "the instruction stands behind a statement.", "Put it at the top of the file: it is about all of it.");
    found = true;
  }
  return found;
}
