import { PgdittoError } from "../../errors.ts";
import { displayRemovable } from "../../catalog/removable/removable.ts";
import type { Session } from "../../postgres/session.ts";
import { readLedger } from "../../target/ledger.ts";
import { disposables } from "../../util/disposables.ts";
import type { Workers } from "../copy/workers.ts";
import { putBack, type PutBackResult } from "../ledger/put-back.ts";
import { type Run, stage, warn } from "../run.ts";
import { isSilence } from "../watch/heartbeat.ts";
import { openQuietly } from "./open-reload.ts";

/**
 * Everything that this run has taken off, over the connections that have brought the rows. A key that an earlier run could only put back NOT VALID is
 * among it, and is proven: the new rows may be the ones that were missed.
 */
export async function putBackAll(run: Run, control: Session, workers: Workers): Promise<PutBackResult> {
  const entries = (await readLedger(control)).filter((entry) => entry.run === run.id);
  const sessions = await Promise.all(workers.list.slice(0, Math.max(1, entries.length)).map((worker) => worker.target.get()));
  return await putBack(run, entries, sessions);
}

/** Milliseconds that putting back gets when somebody waits for the end: the person who pressed Ctrl+C, or a server that was silent. */
const HURRIED_MS = 10_000;
/** Sessions for it; the run's own are not in a known state. */
const SESSIONS = 2;

/** Puts back what can be put back now, and returns how much is left for later; undefined where nobody knows. Bounded, never throws. */
export async function putBackAfterFailure(run: Run, failure: PgdittoError): Promise<number | undefined> {
  const controller = new AbortController();
  const { signal } = controller;
  let timer: NodeJS.Timeout | undefined;
  const hurry = (): void => {
    timer ??= setTimeout(() => controller.abort(new PgdittoError("cancelled", "There was no time left for it.")), HURRIED_MS);
  };
  if (run.signal.aborted || (isSilence(failure) && failure.side === "target")) hurry();
  run.signal.addEventListener("abort", hurry, { once: true });
  const late: Run = { ...run, signal };
  try {
    await using opened = disposables();
    const first = opened.use(await openQuietly(late, "put back", true, signal));
    const own = async (): Promise<Awaited<ReturnType<typeof readLedger>>> =>
      (await readLedger(first)).filter((entry) => entry.run === run.id);
    const entries = await own();
    if (entries.length === 0) return 0;
    const others = Math.min(SESSIONS, entries.length) - 1;
    const sessions = [first];
    for (let i = 0; i < others; i += 1) sessions.push(opened.use(await openQuietly(late, "put back", true, signal)));
    const { back } = await stage(run, "put-back", () => putBack(late, entries, sessions));
    const left = entries.length - back.length;
    if (left > 0) {
      const names = (await own()).map((entry) => displayRemovable(entry));
      warn(
        run,
        "still-off",
        `Not as it was yet: ${names.join(", ")}.`,
        "It is written down in pgditto.ledger in the target: `pgditto repair` puts it back.",
      );
    }
    return left;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(
      run,
      "still-off",
      `Not everything that was taken off could be put back: ${reason}`,
      "It is written down in pgditto.ledger in the target: `pgditto repair` puts it back, and so does the next run.",
    );
    return undefined;
  } finally {
    run.signal.removeEventListener("abort", hurry);
    clearTimeout(timer);
  }
}
