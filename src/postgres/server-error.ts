import pg from "pg";

import { type ErrorCode, type ErrorFacts, PgdittoError, type Side } from "../errors.ts";

/** The SQLSTATE of an error from the server, or the errno of one from the network. */
export function sqlstateOf(error: unknown): string | undefined {
  if (error instanceof PgdittoError) return error.sqlstate;
  if (typeof error !== "object" || error === null) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // pg reports a connection that ended on its own without any code
  if (error instanceof Error && /Connection terminated|timeout expired|Client has encountered a connection error/.test(error.message)) {
    return error.message.includes("timeout") ? "ETIMEDOUT" : "ECONNRESET";
  }
  return undefined;
}

/** An error from the server or the network as ours, with side, SQLSTATE, the server's DETAIL and HINT. */
export function toServerError(error: unknown, side: Side, facts: ErrorFacts = {}, code: ErrorCode = "server"): PgdittoError {
  if (error instanceof PgdittoError) return error;
  const fromServer = error instanceof pg.DatabaseError ? error : undefined;
  const detail = [fromServer?.detail, fromServer?.where === undefined ? undefined : `Where: ${fromServer.where}`]
    .filter((line) => line !== undefined)
    .join("\n");
  return new PgdittoError(code, error instanceof Error ? error.message || error.name : String(error), {
    sqlstate: sqlstateOf(error),
    side,
    hint: fromServer?.hint,
    detail: detail === "" ? undefined : detail,
    cause: error,
    ...definedOnly(facts),
  });
}

/** The same failure told with more facts: which object, which task, what to do. The first cause stays. */
export function withFacts(error: PgdittoError, facts: ErrorFacts, code: ErrorCode = error.code): PgdittoError {
  return new PgdittoError(code, error.message, {
    object: error.object,
    side: error.side,
    sqlstate: error.sqlstate,
    hint: error.hint,
    detail: error.detail,
    task: error.task,
    obstacles: error.obstacles,
    differences: error.differences,
    resumable: error.resumable,
    cause: error.cause ?? error,
    ...definedOnly(facts),
  });
}

function definedOnly(facts: ErrorFacts): ErrorFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
