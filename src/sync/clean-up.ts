import { PgdittoError } from "../errors.ts";
import { findLeftovers, type Leftover } from "../target/leftovers.ts";
import { dropDatabase } from "../target/staging.ts";
import { connect } from "../postgres/connect.ts";
import type { Session } from "../postgres/session.ts";
import { formatBytes } from "../util/format.ts";
import { cancelled, laterAwaited } from "../util/wait.ts";
import { findDumps, findFolders, removeFolder } from "./leftover-folders.ts";
import { applicationName, openControl } from "./open.ts";
import type { Run } from "./run.ts";

/** Milliseconds that the server gets to drop a staging database, and after Ctrl+C: the person waits. */
const DROP_MS = 60_000;
const CANCELLED_DROP_MS = 3_000;

/**
 * Drops the staging database of a run that failed: over the control session, or a new one where that is lost. Bounded, never throws.
 * @param hurried The server was silent before: it gets three seconds, not a minute.
 */
export async function dropStaging(run: Run, control: Session, staging: string, hurried = false): Promise<void> {
  using limit = dropLimit(run.signal, hurried);
  let session: Session | undefined;
  try {
    // the run's signal may be aborted: this must go on all the same
    if (!control.alive) {
      session = await connect(
        { ...run.config.target, database: control.config.database },
        { applicationName: applicationName(run, "cleanup"), attempts: 3, patient: true, signal: limit.signal },
      );
    }
    // not cancelled when it takes too long: a server that is only slow gets it done
    await report(run, staging, "staging database of this run", Promise.race([dropDatabase(session ?? control, staging), limit.passed]));
  } catch (error) {
    run.emit({ type: "cleanup", object: staging, removed: false, reason: error instanceof Error ? error.message : String(error) });
  } finally {
    await session?.[Symbol.asyncDispose]();
  }
}

/** Passes after a minute, or soon after the run is cancelled. */
function dropLimit(run: AbortSignal, hurried: boolean): Disposable & { signal: AbortSignal; passed: Promise<never> } {
  const controller = new AbortController();
  const { signal } = controller;
  const pass = (): void =>
    controller.abort(
      new PgdittoError("server", "the target has not answered in time. The next sync removes it, and so does `pgditto cleanup`."),
    );
  const timers = [setTimeout(pass, DROP_MS)];
  const hurry = (): void => void timers.push(setTimeout(pass, CANCELLED_DROP_MS));
  if (run.aborted || hurried) hurry();
  run.addEventListener("abort", hurry, { once: true });
  const passed = laterAwaited(
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(cancelled(signal)), { once: true });
    }),
  );
  return {
    signal,
    passed,
    [Symbol.dispose]: () => {
      run.removeEventListener("abort", hurry);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** A new run removes what dead runs left of its own target, and what it has left itself where it starts over, but for `kept`; those of runs that live stay. */
export async function dropLeftoversOfTarget(run: Run, control: Session, kept?: string): Promise<void> {
  for (const leftover of await findLeftovers(control, run.config.target.database)) {
    if ((leftover.alive && leftover.run !== run.id) || leftover.object === kept) continue;
    await removeLeftover(run, control, leftover);
  }
}

/** Everything that runs left on the target's cluster and in this machine's temporary folder, dead or alive. */
export async function listLeftovers(run: Run): Promise<readonly Leftover[]> {
  await using control = await openControl(run, "cleanup");
  return await findAll(run, control);
}

async function findAll(run: Run, control: Session): Promise<Leftover[]> {
  return [...(await findLeftovers(control)), ...(await findFolders()), ...(await findDumps(run))];
}

/** Removes the given ones unless their run has come back to life. @throws nothing for a single one that cannot be removed: it is told. */
export async function removeLeftovers(run: Run, list: readonly Leftover[]): Promise<number> {
  await using control = await openControl(run, "cleanup");
  const now = await findAll(run, control);
  let removed = 0;
  for (const { kind, object, run: id } of list) {
    const leftover = now.find((each) => each.kind === kind && each.object === object && each.run === id && !each.alive);
    if (leftover && (await removeLeftover(run, control, leftover))) removed += 1;
  }
  return removed;
}

async function removeLeftover(run: Run, control: Session, leftover: Leftover): Promise<boolean> {
  try {
    await report(
      run,
      leftover.object,
      leftover.kind === "folder" ? "left by a dead run" : `left by run ${leftover.run}, ${formatBytes(leftover.bytes)}`,
      leftover.kind === "database" ? dropDatabase(control, leftover.object) : removeFolder(run, leftover),
    );
    return true;
  } catch (error) {
    if (error instanceof PgdittoError && error.code === "cancelled") throw error;
    run.emit({
      type: "cleanup",
      object: leftover.object,
      removed: false,
      reason: error instanceof Error ? error.message : String(error),
    });
    return false;
  }
}

async function report(run: Run, object: string, reason: string, work: Promise<unknown>): Promise<void> {
  await work;
  run.emit({ type: "cleanup", object, removed: true, reason });
}
