import type { PgdittoError } from "../errors.ts";
import type { ErrorSummary } from "../events.ts";

/** An error as plain data for the event stream. */
export function summarizeError(error: PgdittoError): ErrorSummary {
  const { code, message, object, side, sqlstate, hint, detail, task } = error;
  return { code, message, object, side, sqlstate, hint, detail, task };
}
