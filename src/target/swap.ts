import { PgdittoError } from "../errors.ts";
import { quoteIdent } from "../postgres/quote.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import { sleep, withinMs } from "../util/wait.ts";
import { terminateSessions } from "./staging.ts";

/** Attempts to rename while others keep connecting; the server itself waits 5 s for them in each. */
const ATTEMPTS = 5;

export interface Rename {
  from: string;
  to: string;
}

/**
 * Renames databases in one transaction: all of them or none. RENAME locks the database's name before it waits for the sessions
 * in it (dbcommands.c, RenameDatabase), and a new connection waits for that lock; so a second session can end the ones that are
 * there while nobody new gets in, and connections never need to be forbidden: a crash at any moment leaves nothing to mend.
 * @throws PgdittoError `swap` naming who is still connected after the last attempt.
 */
export async function renameTogether(session: Session, helper: Session, renames: readonly Rename[], signal: AbortSignal): Promise<void> {
  const statements = renames.map(({ from, to }) => `ALTER DATABASE ${quoteIdent(from)} RENAME TO ${quoteIdent(to)}`);
  for (let attempt = 1; ; attempt += 1) {
    const settled = new AbortController();
    const endSessions = async (): Promise<void> => {
      while (!settled.signal.aborted) {
        for (const { from } of renames) await terminateSessions(helper, from);
        await sleep(100, settled.signal);
      }
    };
    const ending = withinMs(60_000, endSessions());
    try {
      await session.run(
        `BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '10s'; ${statements.join("; ")}; COMMIT`,
        signal,
      );
      return;
    } catch (error) {
      if (session.alive) await session.run("ROLLBACK");
      // the answer to COMMIT may be lost, or a cancellation may have come too late: the catalog decides
      if (await happened(helper, renames)) return;
      if (!(error instanceof PgdittoError) || error.code === "cancelled") throw error;
      const inUse = error.sqlstate === "55006" || error.sqlstate === "55P03";
      if (!inUse || attempt >= ATTEMPTS) throw await swapError(error, helper, renames);
    } finally {
      settled.abort();
      await ending;
    }
  }
}

/** All renames were one transaction: when the last name is gone, all of them were done. */
async function happened(helper: Session, renames: readonly Rename[]): Promise<boolean> {
  const [row] = await helper.query<{ there: boolean }>("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1) AS there", [
    renames.at(-1)?.from,
  ]);
  return row?.there === false;
}

async function swapError(error: PgdittoError, helper: Session, renames: readonly Rename[]): Promise<PgdittoError> {
  const rows = await helper.query<{ pid: number; name: string; role: string | null; application: string | null }>(
    "SELECT pid, datname AS name, usename AS role, application_name AS application FROM pg_catalog.pg_stat_activity WHERE datname = ANY ($1::text[])",
    [renames.map((rename) => rename.from)],
  );
  const sessions = rows.map((row) => `backend ${row.pid} in ${row.name}: role ${row.role ?? "?"}, ${row.application ?? "unknown program"}`);
  return withFacts(
    error,
    {
      object: renames.map((rename) => `${rename.from} → ${rename.to}`).join(", "),
      task: "swap",
      detail: [error.detail, ...sessions].filter((line) => line !== undefined && line !== "").join("\n") || undefined,
      hint:
        error.sqlstate === "55006"
          ? "Sessions (or prepared transactions) in the database could not be ended: a superuser's, or another role's. Disconnect them, or grant pg_signal_backend to the target's role, and run again."
          : (error.hint ?? "The target is as it was."),
    },
    "swap",
  );
}
