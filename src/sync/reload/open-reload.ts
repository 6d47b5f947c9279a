import { readIdentity } from "../../catalog/database.ts";
import { PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import type { Session } from "../../postgres/session.ts";
import { readExisting } from "../../target/existing.ts";
import { AS_REPLICA, mayBeReplica } from "../../target/fill-rights.ts";
import { disposables } from "../../util/disposables.ts";
import { type Opened, openSource, openTarget, refuseSameDatabase } from "../open.ts";
import type { Run } from "../run.ts";

/** As for a sync, but the control session is in the target itself: it stays, and nobody needs the right to enter another database. */
export async function openReload(run: Run, patient = false): Promise<Opened> {
  await using opened = disposables();
  const source = opened.use(await openSource(run, "source", patient));
  const control = opened.use(await openQuietly(run, "control", patient));
  const sourceIdentity = await readIdentity(source);
  const existing = await readExisting(control, run.config.target.database);
  await refuseSameDatabase(run, { source, control, sourceIdentity, existing });
  return { source, control, sourceIdentity, existing, [Symbol.asyncDispose]: opened.release() };
}

/**
 * A session in the target. Where it may, it says that it is a replica's: event triggers then take no notice of what is taken off and put back.
 * @param signal Default: the run's.
 */
export async function openQuietly(run: Run, purpose: string, patient: boolean, signal = run.signal): Promise<Session> {
  try {
    const session = await openTarget({ ...run, signal }, purpose, patient);
    if (await mayBeReplica(session)) await session.run(AS_REPLICA);
    return session;
  } catch (error) {
    if (!(error instanceof PgdittoError) || error.sqlstate !== "3D000") throw error;
    throw withFacts(error, {
      hint: "--mode truncate replaces rows in tables that are there. The first time leave it out: pgditto makes the database then.",
    });
  }
}
