import { sqlstateOf } from "../postgres/server-error.ts";
import { quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/**
 * Whether the target's operating system knows a locale of libc: asked by making a temporary collation in a transaction that is
 * rolled back, because the server lists only those that it found at initdb. Unknown (no right to try): taken as known.
 */
export async function knowsLocale(session: Session, locale: string): Promise<boolean> {
  if (locale === "C" || locale === "POSIX") return true;
  const name = quoteLiteral(locale);
  try {
    await session.run(`BEGIN; CREATE COLLATION pg_temp.pgditto_probe (lc_collate = ${name}, lc_ctype = ${name})`);
    return true;
  } catch (error) {
    return sqlstateOf(error) !== "22023"; // could not create locale
  } finally {
    await session.run("ROLLBACK");
  }
}
