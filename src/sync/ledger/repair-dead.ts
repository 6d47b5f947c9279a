import type { Session } from "../../postgres/session.ts";
import { closeLedger, readLedger } from "../../target/ledger.ts";
import { livingRuns } from "../../target/run-lock.ts";
import type { Run } from "../run.ts";
import type { PutBackResult } from "./put-back.ts";
import { REPAIR } from "./put-back-hint.ts";
import { putBackOver } from "./put-back-over.ts";
import { refuseElsewhere } from "./refuse-elsewhere.ts";

export interface Repaired extends PutBackResult {
  /** Runs that live: what they have taken off is theirs to put back. */
  alive: readonly string[];
  /** What is off because of `dropConstraints`. */
  dropped: number;
}

/**
 * Puts back what dead reloads took off, within a run that holds the target, over its session in it. What is not as it was is in the result
 * and no error. What an earlier attempt of this very run left is put back, too.
 * @param elsewhere Also what was taken off in another database and came here with a copy.
 * @throws PgdittoError `preflight` for such a ledger otherwise.
 */
export async function repairDead(run: Run, session: Session, elsewhere = false): Promise<Repaired> {
  const ledger = await readLedger(session);
  const ofReloads = ledger.filter(({ purpose }) => purpose === "reload");
  const dropped = ledger.length - ofReloads.length;
  const others = [...new Set(ofReloads.filter((entry) => entry.run !== run.id && entry.elsewhere === undefined).map((entry) => entry.run))];
  const alive = await livingRuns(session, others);
  const dead = ofReloads.filter((entry) => !alive.has(entry.run));
  if (!elsewhere) refuseElsewhere(run.config.target.database, dead, REPAIR);
  const nothing: PutBackResult = { back: [], differences: [], failed: [] };
  const done = dead.length === 0 ? nothing : await putBackOver(run, session, dead, REPAIR);
  if (dead.length === 0 && ledger.length === 0) await closeLedger(session, run.signal);
  return { ...done, alive: [...alive], dropped };
}
