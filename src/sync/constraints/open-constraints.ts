import { readIdentity } from "../../catalog/database.ts";
import type { Session } from "../../postgres/session.ts";
import { holdTarget } from "../../target/run-lock.ts";
import { openTarget } from "../open.ts";
import { refusal, tooOld } from "../preflight/preflight.ts";
import { STANDBY } from "../preflight/target-obstacles.ts";
import { type Run, warn } from "../run.ts";

/**
 * A session in the target itself. `alone`: it holds the target as a sync does, so that no two work on its constraints, or on its name.
 * @throws PgdittoError `locked` when another run holds it, `preflight` when it cannot be written to.
 */
export async function openConstraints(run: Run, alone: boolean): Promise<Session> {
  for (const { side, code, message, hint } of run.config.warnings) if (side !== "source") warn(run, code, message, hint);
  const session = await openTarget(run, "constraints");
  try {
    const obstacles = [...tooOld(session, "target"), ...(alone && (await readIdentity(session)).inRecovery ? [STANDBY] : [])];
    if (obstacles.length > 0) throw refusal(obstacles);
    if (alone) await holdTarget(session, run.config.target.database, run.id);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}
