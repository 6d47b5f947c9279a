import { PgdittoError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { readExisting } from "../../target/existing.ts";
import { holdTarget } from "../../target/run-lock.ts";
import { disposables } from "../../util/disposables.ts";
import { withinMs } from "../../util/wait.ts";
import { openControl } from "../open.ts";
import type { Run } from "../run.ts";

/** Milliseconds for the answer to the smallest question; a connection that was cut without a word gives none. */
const PATIENCE_MS = 10_000;

/** Whether the session is still there. It has been idle for as long as the rows took, so only asking tells. */
export async function answers(session: Session): Promise<boolean> {
  if (!session.alive) return false;
  const reply = session.run("SELECT").then(() => true);
  return (await withinMs(PATIENCE_MS, reply)) === true;
}

/**
 * The session that held the target was lost: another one takes it.
 * @param open Default: one in a database that is not the target.
 * @throws PgdittoError `locked` when another run has come in between.
 */
export async function holdAnew(run: Run, open = (): Promise<Session> => openControl(run)): Promise<Session> {
  await using opened = disposables();
  const control = opened.use(await open());
  await holdTarget(control, run.config.target.database, run.id);
  opened.release();
  return control;
}

/**
 * The session that held the run's lock is gone, and a run may take hours: the lock is taken anew. Whoever had it in between has
 * dropped the staging database as that of a dead run.
 * @throws PgdittoError `locked` while another run has it; `swap` when the copy is gone.
 */
export async function regainControl(run: Run, staging: string): Promise<Session> {
  await using opened = disposables();
  const control = opened.use(await holdAnew(run));
  if (!(await readExisting(control, staging))) {
    throw new PgdittoError("swap", "The connection that held the target for this run was lost, and another run has removed the copy.", {
      object: staging,
      side: "target",
      task: "swap",
      hint: "The target is what the other run left. Run again if it should be newer.",
    });
  }
  opened.release();
  return control;
}
