import pg from "pg";

import { withoutValues } from "../config/sql/expand-variables.ts";
import type { Script, ScriptStatement } from "../config/sql/parse-script.ts";
import { NO_TRANSACTION } from "../config/sql/statement-rules.ts";
import { PgdittoError } from "../errors.ts";
import { ordinarySettings } from "../postgres/pins.ts";
import type { Session } from "../postgres/session.ts";
import { isTransient } from "../postgres/sqlstate.ts";

/** Characters of a statement that an error shows. */
const SHOWN = 300;

/** Makes the session one as psql would open it. It must not be in a transaction, and belongs to the user's SQL from here on. */
export async function useOrdinarySettings(session: Session, signal: AbortSignal): Promise<void> {
  await session.run("DISCARD ALL", signal);
  await session.run(ordinarySettings(session.serverVersion), signal);
}

/**
 * Runs a file of the user's, statement by statement: in one transaction, or each by itself where the file says so. The session has to be one of
 * `useOrdinarySettings`, outside of a transaction; after a failure it must be closed.
 * @param noteSql What is committed along with it, first in its transaction; files without a transaction cannot have any.
 * @throws PgdittoError `sql` that names file, line, SQLSTATE and statement; values of variables are in none of it.
 */
export async function runScript(session: Session, script: Script, signal: AbortSignal, noteSql = ""): Promise<void> {
  if (script.transaction) await session.run(`BEGIN; ${noteSql}`, signal);
  for (const statement of script.statements) {
    try {
      await session.run(statement.sql, signal);
    } catch (error) {
      throw describe(error, script, statement);
    }
  }
  const last = script.statements.at(-1);
  try {
    // a file that is done is not done again: the server must not forget it when it crashes
    if (script.transaction) await session.run("SET LOCAL synchronous_commit = on; COMMIT", signal);
  } catch (error) {
    throw last ? describe(error, script, { ...last, raw: "COMMIT" }) : error;
  }
  if (script.ownTransactions) await refuseOpenTransaction(session, script.name, signal);
}

/** What is not committed is lost when the session ends, and nobody would know. SAVEPOINT is refused outside of a transaction (25P01), and only there. */
export async function refuseOpenTransaction(session: Session, name: string, signal: AbortSignal): Promise<void> {
  try {
    await session.run("SAVEPOINT pgditto", signal);
  } catch (error) {
    if (error instanceof PgdittoError && error.sqlstate === "25P01") return;
    if (!(error instanceof PgdittoError) || error.sqlstate !== "25P02") throw error;
  }
  throw new PgdittoError("sql", `${name} leaves a transaction open: what it did in there would be lost.`, {
    object: name,
    side: "target",
    hint: "End it with COMMIT.",
  });
}

function describe(error: unknown, { name, variables }: Script, statement: ScriptStatement): unknown {
  if (!(error instanceof PgdittoError) || error.code !== "server") return error;
  const hide = (text: string | undefined): string | undefined => text && withoutValues(text, variables);
  const at = `${name}:${lineOf(error, statement)}`;
  const shown = statement.raw.length > SHOWN ? `${statement.raw.slice(0, SHOWN)} …` : statement.raw;
  return new PgdittoError("sql", `${at}: ${hide(error.message) ?? ""}`, {
    object: at,
    side: error.side,
    sqlstate: error.sqlstate,
    hint: hide(error.hint) ?? hintFor(error),
    detail: [hide(error.detail), `Statement: ${shown}`].filter((line) => line !== undefined).join("\n"),
    // the server's own words hold the values
    ...(variables.size === 0 ? { cause: error.cause } : {}),
  });
}

/** The line that the server points at, where what was sent is what stands in the file. */
function lineOf({ cause }: PgdittoError, { sql, raw, line }: ScriptStatement): number {
  const position = cause instanceof pg.DatabaseError ? Number(cause.position) : Number.NaN;
  if (sql !== raw || !(position > 0)) return line;
  // the server counts characters, from 1
  return (
    line +
    Array.from(sql)
      .slice(0, position - 1)
      .filter((character) => character === "\n").length
  );
}

function hintFor({ sqlstate }: PgdittoError): string | undefined {
  // whoever tries again knows more
  if (isTransient(sqlstate)) return undefined;
  if (sqlstate === "25001") return `Put the line \`${NO_TRANSACTION}\` at the top of a file of its own for it. Nothing was swapped.`;
  if (sqlstate === "42501") return "The target's role may not do this. Nothing was swapped.";
  return "Nothing was swapped. Correct the file and run again.";
}
