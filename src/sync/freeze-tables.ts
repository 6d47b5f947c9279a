import { readTableNames } from "../catalog/tables.ts";
import { PgdittoError } from "../errors.ts";
import { quoteQualified } from "../postgres/quote.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import { lockAndExport } from "../postgres/snapshot.ts";

/** Milliseconds to wait for tables that somebody holds exclusively. */
export const LOCK_TIMEOUT_MS = 60_000;
/** Tables may appear and go while they are being locked; this often, and the run gives up. */
const LOCK_ROUNDS = 5;

/**
 * Locks all tables of a database and exports a snapshot; repeats until the locked tables are the ones that the snapshot shows.
 * @param readable Only those that the role may read.
 */
export async function freezeTables(session: Session, signal: AbortSignal, readable = false): Promise<string> {
  const { side } = session;
  for (let round = 1; ; round += 1) {
    const before = (await readTableNames(session, readable)).map(({ schema, name }) => quoteQualified(schema, name));
    try {
      const snapshot = await lockAndExport(session, before, LOCK_TIMEOUT_MS, signal);
      const known = new Set(before);
      const unlocked = (await readTableNames(session, readable)).filter(({ schema, name }) => !known.has(quoteQualified(schema, name)));
      if (unlocked.length === 0) return snapshot;
    } catch (error) {
      if (!(error instanceof PgdittoError) || !["42P01", "3F000"].includes(error.sqlstate ?? "")) throw lockError(error);
    }
    await session.run("ROLLBACK");
    if (round >= LOCK_ROUNDS) {
      throw new PgdittoError("server", `The ${side}'s tables keep changing: they could not be locked.`, {
        side,
        hint: "Run again when nobody creates or drops tables there.",
      });
    }
  }
}

function lockError(error: unknown): unknown {
  if (!(error instanceof PgdittoError)) return error;
  const side = error.side ?? "source";
  if (error.sqlstate === "55P03")
    return withFacts(error, {
      task: "lock tables",
      hint: `Somebody holds a table of the ${side} exclusively (ALTER TABLE, VACUUM FULL, LOCK). See pg_locks there, and run again.`,
    });
  if (error.sqlstate === "53200")
    return withFacts(error, {
      task: "lock tables",
      hint: `Raise max_locks_per_transaction on the ${side}: every table of a run is locked (ACCESS SHARE), as pg_dump does.`,
    });
  return error;
}
