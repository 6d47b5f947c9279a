import type { LedgerEntry } from "../../target/ledger.ts";
import { openConstraints } from "../constraints/open-constraints.ts";
import type { Run } from "../run.ts";
import { notPutBack } from "./put-back.ts";
import { repairDead } from "./repair-dead.ts";

export interface RepairResult {
  /** Put back as it was: what reloads that died had taken off. */
  back: readonly LedgerEntry[];
  /** Reloads that are alive: what they have taken off is theirs to put back. */
  alive: readonly string[];
  /** Constraints that are off because of `dropConstraints`; `restoreConstraints` puts them back. */
  dropped: number;
}

/**
 * Puts back what dead reloads took off in the target.
 * @throws PgdittoError `verify` with the rows that break a constraint, `schema` when something cannot be put back: the rest is back then;
 *   `preflight` when the ledger came with a copy of another database, unless `yes` is given.
 */
export async function repair(run: Run): Promise<RepairResult> {
  await using session = await openConstraints(run, true);
  const { alive, dropped, ...done } = await repairDead(run, session, run.config.yes);
  const failure = notPutBack(done);
  if (failure) throw failure;
  return { back: done.back, alive, dropped };
}
