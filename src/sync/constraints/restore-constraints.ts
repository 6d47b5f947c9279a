import { PgdittoError } from "../../errors.ts";
import { closeLedger, type LedgerEntry, readLedger } from "../../target/ledger.ts";
import { notPutBack } from "../ledger/put-back.ts";
import { putBackOver } from "../ledger/put-back-over.ts";
import { refuseElsewhere } from "../ledger/refuse-elsewhere.ts";
import type { Run } from "../run.ts";
import { openConstraints } from "./open-constraints.ts";
import { restoringScript } from "./restoring-script.ts";
import { selectEntries } from "./select-constraints.ts";

export interface RestoreResult {
  /** Nothing was done. */
  dryRun: boolean;
  /** Those that are back as they were; of a dry run, those that would be put back. */
  constraints: readonly LedgerEntry[];
  /** The SQL for them, for psql. */
  script: string;
  /** Constraints that stay off, because they were not selected. */
  stillOff: number;
  /** Things that a reload took off; `repair` is for those. */
  ofReloads: number;
}

const AGAIN = "pgditto constraints restore";

/**
 * Puts back what `dropConstraints` took off; foreign keys and checks NOT VALID first, then validated beside each other.
 * @throws PgdittoError `verify` with the rows that break a constraint, `schema` when one cannot be put back: the others are back then.
 */
export async function restoreConstraints(run: Run): Promise<RestoreResult> {
  const { config } = run;
  refuseSave(run, "restore");
  await using session = await openConstraints(run, !config.dryRun);
  const ledger = await readLedger(session);
  const dropped = ledger.filter(({ purpose }) => purpose === "constraints");
  const entries = await selectEntries(run, session, dropped);
  const result: RestoreResult = {
    dryRun: config.dryRun,
    constraints: entries,
    script: restoringScript(
      entries.map((entry) => (entry.state === "off" ? entry : { ...entry, putBack: undefined })),
      [`Puts back what is off in the database ${config.target.database}.`],
    ),
    stillOff: dropped.length - entries.length,
    ofReloads: ledger.length - dropped.length,
  };
  if (config.dryRun) return result;
  if (!config.yes) refuseElsewhere(config.target.database, entries, AGAIN);
  if (entries.length === 0) {
    await closeLedger(session, run.signal);
    return result;
  }
  const done = await putBackOver(run, session, entries, AGAIN);
  const failure = notPutBack(done, AGAIN);
  if (failure) throw failure;
  return { ...result, constraints: done.back };
}

/** Only what is about to be taken off can be saved. */
export function refuseSave({ config }: Run, action: string): void {
  if (config.save === undefined) return;
  throw new PgdittoError("usage", `--save is for \`pgditto constraints drop\`, not for ${action}.`, {
    object: "--save",
    hint: "`pgditto constraints restore --dry-run` prints the SQL that puts back what is off.",
  });
}
