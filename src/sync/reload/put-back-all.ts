import { PgdittoError } from "../../errors.ts";
import { displayRemovable } from "../../catalog/removable/removable.ts";
import { shapeKey } from "../../catalog/table-shapes.ts";
import type { Session } from "../../postgres/session.ts";
import { AS_REPLICA } from "../../target/fill-rights.ts";
import { type LedgerEntry, readLedger } from "../../target/ledger.ts";
import { disposables } from "../../util/disposables.ts";
import type { Workers } from "../copy/workers.ts";
import { putBack, type PutBackResult } from "../ledger/put-back.ts";
import { type Run, stage, warn } from "../run.ts";
import { isSilence } from "../watch/heartbeat.ts";
import { openQuietly } from "./open-reload.ts";
import type { ReloadContents } from "./read-reload.ts";

/**
 * Everything that is off for this reload, over the connections that have brought the rows. What an earlier run of its tables could not put back, or
 * only NOT VALID, is among it: the new rows may be the ones that were missed.
 */
export async function putBackAll(run: Run, control: Session, workers: Workers, contents: ReloadContents): Promise<PutBackResult> {
  const entries = await leftOff(run, control, contents);
  const sessions = await Promise.all(workers.list.slice(0, Math.max(1, entries.length)).map((worker) => worker.target.get()));
  if (contents.inTheWay.mayBeReplica) await Promise.all(sessions.map((session) => session.run(AS_REPLICA, run.signal)));
  return await putBack(run, entries, sessions);
}

/** Of whoever took it off: the target is held. An unrelated table's rows are nothing to this reload; a key that is off may lead to its tables. */
async function leftOff(run: Run, session: Session, { inTheWay, shapes }: ReloadContents): Promise<LedgerEntry[]> {
  const concerns = ({ schema, table, kind, state }: LedgerEntry): boolean =>
    inTheWay.filled.has(shapes.get(shapeKey({ schema, name: table }))?.oid ?? 0) || (kind === "foreign-key" && state === "off");
  return (await readLedger(session)).filter(
    (entry) => entry.run === run.id || (entry.purpose === "reload" && entry.elsewhere === undefined && concerns(entry)),
  );
}

/** Milliseconds that putting back gets when somebody waits for the end: the person who pressed Ctrl+C, or a server that was silent. */
const HURRIED_MS = 10_000;
/** Sessions for it; the run's own are not in a known state. */
const SESSIONS = 2;

/** Puts back what can be put back now, and returns how much is left for later; undefined where nobody knows. Bounded, never throws. */
export async function putBackAfterFailure(run: Run, failure: PgdittoError, contents: ReloadContents): Promise<number | undefined> {
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
    const entries = await leftOff(run, first, contents);
    if (entries.length === 0) return 0;
    const others = Math.min(SESSIONS, entries.length) - 1;
    const sessions = [first];
    for (let i = 0; i < others; i += 1) sessions.push(opened.use(await openQuietly(late, "put back", true, signal)));
    const { back } = await stage(run, "put-back", () => putBack(late, entries, sessions));
    const left = entries.length - back.length;
    if (left > 0) {
      const names = (await leftOff(run, first, contents)).map((entry) => displayRemovable(entry));
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
