import { rm } from "node:fs/promises";

import { displayRemovable, placeOf, type Removable } from "../../catalog/removable/removable.ts";
import { asPgdittoError, PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import { type LedgerEntry, closeLedger, openLedger, readLedger, takeOff } from "../../target/ledger.ts";
import { plural } from "../../util/format.ts";
import { removalObstacles } from "../ledger/removal-obstacles.ts";
import { refusal } from "../preflight/preflight.ts";
import type { Run } from "../run.ts";
import { openConstraints } from "./open-constraints.ts";
import { restingObstacles } from "./resting-obstacles.ts";
import { restoringScript } from "./restoring-script.ts";
import { saveScript } from "./save-script.ts";
import { selectConstraints } from "./select-constraints.ts";

/** A constraint that was taken off, or would be, with the SQL for both ways. */
export interface DroppedConstraint extends Pick<LedgerEntry, "kind" | "schema" | "table" | "name" | "putBack" | "validate"> {
  takeOff: string;
}

export interface DropResult {
  /** Nothing was done. */
  dryRun: boolean;
  /** In the order in which they go. */
  constraints: readonly DroppedConstraint[];
  /** Puts them back by itself: for psql. */
  script: string;
  /** The file that holds it. */
  saved: string | undefined;
  /** Constraints that were off before. */
  offBefore: number;
}

/**
 * Takes the selected constraints off the target's tables, each in one transaction with the row of the ledger that brings it back.
 * @throws PgdittoError `preflight` with every obstacle, and then nothing was touched.
 */
export async function dropConstraints(run: Run): Promise<DropResult> {
  const { config } = run;
  if (config.dryRun && config.save !== undefined)
    throw new PgdittoError("usage", "--dry-run and --save contradict each other: the one touches nothing, the other writes a file.", {
      object: "--save",
      hint: "Leave out one of them.",
    });
  await using session = await openConstraints(run, !config.dryRun);
  const before = await readLedger(session);
  const constraints = await selectConstraints(run, session);
  const obstacles = [...(await removalObstacles(session, constraints)), ...(await restingObstacles(session, constraints))];
  if (obstacles.length > 0) throw asOneRefusal(refusal(obstacles));
  const script = restoringScript(constraints, [
    `Puts back ${plural(constraints.length, "constraint")} that pgditto constraints drop took off in the database ${config.target.database} (run ${run.id}).`,
    "psql -f runs it. What it puts back, the next pgditto constraints restore strikes out of the ledger.",
  ]);
  const result: DropResult = {
    dryRun: config.dryRun,
    constraints: constraints.map(dropped),
    script,
    saved: undefined,
    offBefore: before.filter(({ purpose, state }) => purpose === "constraints" && state === "off").length,
  };
  if (config.dryRun || constraints.length === 0) return result;

  // the one refusal that is left comes before the file
  await openLedger(session);
  let taken = 0;
  try {
    if (config.save !== undefined) await saveScript(config.save, script);
    await takeOff(session, constraints, {
      run: run.id,
      purpose: "constraints",
      signal: run.signal,
      attempts: config.retryCount,
      taken: (one) => {
        taken += 1;
        run.emit({ type: "ledger", action: "off", kind: one.kind, object: displayRemovable(placeOf(one)), detail: "" });
      },
    });
  } catch (error) {
    const failure = asPgdittoError(error);
    if (taken === 0 && session.alive) {
      if (failure.code !== "usage" && config.save !== undefined) await rm(config.save, { force: true });
      await closeLedger(session);
    }
    throw tellingWhatIsOff(failure, session.alive ? taken : undefined, constraints);
  }
  return { ...result, saved: config.save };
}

function dropped(removable: Removable): DroppedConstraint {
  const { kind, takeOff: sql, putBack, validate } = removable;
  return { kind, ...placeOf(removable), takeOff: sql, putBack, validate };
}

function asOneRefusal(error: PgdittoError): PgdittoError {
  return error.obstacles.length > 1 ? withFacts(error, { hint: "Each obstacle is listed with its fix." }) : error;
}

/**
 * Nothing is put back by itself: whoever wants them off goes on, whoever does not says so.
 * @param taken Undefined where the connection is gone, and the last answer with it.
 */
function tellingWhatIsOff(error: PgdittoError, taken: number | undefined, all: readonly Removable[]): PgdittoError {
  if (error.code === "usage") return error;
  const next = taken === undefined ? undefined : all[taken];
  const off =
    taken === undefined
      ? "`pgditto constraints list` shows what is off, and restore puts it back."
      : taken === 0
        ? "Nothing was taken off."
        : `${taken} of ${plural(all.length, "constraint")} ${taken === 1 ? "is" : "are"} off and in the ledger. \`pgditto constraints restore\` puts back what is off; drop again goes on.`;
  const lost = error.code === "cancelled" ? "" : ` ${error.hint ?? ""}`;
  return withFacts(error, {
    hint: `${off}${lost}`.trim(),
    object: error.object ?? (next && displayRemovable(placeOf(next))),
    task: "take off",
  });
}
