import { asPgdittoError, type PgdittoError } from "../errors.ts";
import type { Plan } from "../plan/build-plan.ts";
import { withFacts } from "../postgres/server-error.ts";
import { cancelled } from "../util/wait.ts";
import { dropStaging } from "./clean-up.ts";
import type { Copied } from "./copy/copied.ts";
import type { Staging } from "./copy/make-staging.ts";
import type { Opened } from "./open.ts";
import type { SyncResult } from "./result.ts";
import { staysBehind, tellingWhatStays } from "./resume/keep-staging.ts";
import { type Run, stage } from "./run.ts";
import { swapIn } from "./swap-in.ts";
import { isSilence } from "./watch/heartbeat.ts";
import { withoutState } from "./without-state.ts";
import { asSpaceError } from "./watch/watch-space.ts";

/** What a run has done, but for what is told of every run. */
export type Done = Omit<SyncResult, "run" | "ms" | "warnings">;

/** Fills the staging database by `copy`, and gives it the target's name. After a failure it is dropped, unless it is worth keeping. */
export async function fillAndSwap(
  run: Run,
  opened: Pick<Opened, "control" | "existing">,
  made: { plan: Plan; staging: Staging; snapshot: string },
  copy: () => Promise<Copied>,
): Promise<Done> {
  const { config } = run;
  const { plan, staging, snapshot } = made;
  try {
    const { regained: again, ...done } = await copy();
    await using regained = again;
    const previous = await swapIn(run, { control: regained ?? opened.control, existing: opened.existing }, plan, staging.name);
    return { ...done, database: config.target.database, previous, snapshot };
  } catch (error) {
    // what fails when the run is given up does so because of that
    const cause = run.signal.aborted ? cancelled(run.signal) : asSpaceError(asPgdittoError(error));
    const failure = staging.targetDropped ? afterRecreate(cause, config.target.database) : cause;
    if (staysBehind(run, staging, failure)) throw tellingWhatStays(failure, staging);
    await stage(run, "drop-staging", () => dropStaging(run, opened.control, staging.name, isSilence(failure) && failure.side === "target"));
    throw failure;
  }
}

/** `--mode recreate` gave the old database up before: no hint may say that it is still there. */
function afterRecreate(error: PgdittoError, database: string): PgdittoError {
  const hint = withoutState(error.hint);
  return withFacts(error, {
    hint: `--mode recreate had dropped ${database} before; it does not exist now. Run again.${hint === "" ? "" : ` ${hint}`}`,
  });
}
