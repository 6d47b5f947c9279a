import { PgdittoError } from "../../errors.ts";
import { type LedgerEntry, readLedger } from "../../target/ledger.ts";
import type { Run } from "../run.ts";
import { openConstraints } from "./open-constraints.ts";
import { refuseSave } from "./restore-constraints.ts";
import { selectEntries } from "./select-constraints.ts";

export interface OffList {
  /** What is off, or back and not validated, in the order in which it was taken off. */
  off: readonly LedgerEntry[];
  /** Entries that the selection leaves out. */
  notSelected: number;
}

/** What is off in the target at the moment: of `dropConstraints`, and of reloads (triggers, indexes and the like among it). Writes nothing. */
export async function listConstraints(run: Run): Promise<OffList> {
  refuseSave(run, "list");
  if (run.config.dryRun)
    throw new PgdittoError("usage", "`pgditto constraints list` touches nothing anyway.", { object: "--dry-run", hint: "Leave it out." });
  await using session = await openConstraints(run, false);
  const ledger = await readLedger(session);
  const chosen = new Set(await selectEntries(run, session, ledger));
  const off = ledger.filter((entry) => chosen.has(entry) || entry.purpose === "reload");
  return { off, notSelected: ledger.length - off.length };
}
