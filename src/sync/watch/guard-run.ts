import { createPace, type Pace } from "../../copy/pace.ts";
import { asPgdittoError } from "../../errors.ts";
import type { GiveUp } from "./repeat.ts";
import { heartbeat } from "./heartbeat.ts";
import type { Opened } from "../open.ts";
import type { Run } from "../run.ts";
import { type BuildWatch, watchBuilds } from "./watch-builds.ts";
import { readSourceSpace, usedTablespaces } from "../preflight/target-space.ts";
import { watchHeld } from "./watch-held.ts";
import { watchLag } from "./watch-lag.ts";
import { watchSpace } from "./watch-space.ts";

/** What looks after both servers while tasks run. */
export interface Guard extends Disposable {
  /** Aborted with the reason when the run has to be given up. */
  signal: AbortSignal;
  /** Undefined: nothing holds copies back, and nothing has to be asked. */
  pace: Pace | undefined;
  /** Undefined: nobody wants to know how far indexes are. */
  builds: BuildWatch | undefined;
  /** A last look when the tasks are done. @throws PgdittoError `space` */
  settle: () => Promise<void>;
}

/** Watches that both servers answer, that the target has room, that no standby lags too far behind, and how old the snapshot is. */
export async function guardRun(run: Run, opened: Opened, staging: string): Promise<Guard> {
  const { source, control } = opened;
  const controller = new AbortController();
  const giveUp: GiveUp = (reason) => controller.abort(asPgdittoError(reason));
  const { rateLimit, maxReplicationLag } = run.config;
  const pace = rateLimit === undefined && maxReplicationLag === undefined ? undefined : createPace(rateLimit);
  const tablespaces = usedTablespaces(run, await readSourceSpace(run, source, opened.sourceIdentity.bytes));
  const space = await watchSpace(run, { control, staging, tablespaces, giveUp });
  const heart = heartbeat(run, [source, control]);
  const held = watchHeld(run, source, giveUp);
  const lag = pace && watchLag(run, opened, pace, giveUp);
  const builds = run.watchBuilds ? watchBuilds(run, control, giveUp) : undefined;
  return {
    builds,
    signal: AbortSignal.any([heart.signal, controller.signal]),
    pace,
    settle: async () => {
      await held.settle();
      await space.settle();
    },
    [Symbol.dispose]: () => {
      for (const watch of [heart, held, space, ...(lag ? [lag] : []), ...(builds ? [builds] : [])]) watch[Symbol.dispose]();
    },
  };
}
