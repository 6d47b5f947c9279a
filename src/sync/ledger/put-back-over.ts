import { asPgdittoError, PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import type { Session } from "../../postgres/session.ts";
import type { LedgerEntry } from "../../target/ledger.ts";
import { disposables } from "../../util/disposables.ts";
import { openTarget } from "../open.ts";
import type { Run } from "../run.ts";
import { putBack, type PutBackResult } from "./put-back.ts";

/**
 * `putBack` over as many sessions as the run has jobs, the given one among them.
 * @param again The command that goes on where this one was ended.
 */
export async function putBackOver(run: Run, session: Session, entries: readonly LedgerEntry[], again: string): Promise<PutBackResult> {
  try {
    await using opened = disposables();
    const sessions = [session];
    while (sessions.length < Math.min(run.config.jobs, entries.length)) {
      const another = await openAnother(run);
      if (!another) break;
      sessions.push(opened.use(another));
    }
    return await putBack(run, entries, sessions);
  } catch (error) {
    throw goesOn(asPgdittoError(error), again);
  }
}

/** Where the server has no connection left, fewer do it, too. */
async function openAnother(run: Run): Promise<Session | undefined> {
  try {
    return await openTarget(run, "put back");
  } catch (error) {
    if (error instanceof PgdittoError && error.sqlstate === "53300") return undefined;
    throw error;
  }
}

/** "The target is as it was" would not be true. */
function goesOn(error: PgdittoError, again: string): PgdittoError {
  const hint = `What is not back yet is in the table pgditto.ledger: \`${again}\` goes on.`;
  return withFacts(error, { hint: error.code === "cancelled" ? hint : [error.hint, hint].filter(Boolean).join(" ") });
}
