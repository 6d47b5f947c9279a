import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import { sqlstateOf } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import { ORIGIN_SETTING } from "./existing.ts";

/**
 * Marks the database as a copy, so that the next run may replace it without asking. False when the role may not: from PostgreSQL
 * 15 on, a role that is not superuser needs `GRANT SET ON PARAMETER pgditto.origin` (measured).
 */
export async function markDatabase(session: Session, database: string, origin: string): Promise<boolean> {
  try {
    await session.run(`ALTER DATABASE ${quoteIdent(database)} SET ${ORIGIN_SETTING} = ${quoteLiteral(origin)}`);
    return true;
  } catch (error) {
    if (sqlstateOf(error) === "42501") return false;
    throw error;
  }
}
