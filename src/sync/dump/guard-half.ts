import { asPgdittoError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Run } from "../run.ts";
import { heartbeat } from "../watch/heartbeat.ts";
import type { GiveUp } from "../watch/repeat.ts";

/** What looks after the one server that a half of the run needs. */
interface HalfGuard extends Disposable {
  signal: AbortSignal;
  /** A last look when the tasks are done. */
  settle: () => Promise<void>;
}

type Watch = Disposable & { settle: () => Promise<void> };

/** Watches that the server answers over a session that is idle meanwhile, and what `watch` begins to watch. */
export async function guardHalf(run: Run, idle: Session, watch: (giveUp: GiveUp) => Watch | Promise<Watch>): Promise<HalfGuard> {
  const controller = new AbortController();
  const watched = await watch((reason) => controller.abort(asPgdittoError(reason)));
  const heart = heartbeat(run, [idle]);
  return {
    signal: AbortSignal.any([heart.signal, controller.signal]),
    settle: watched.settle,
    [Symbol.dispose]: () => {
      heart[Symbol.dispose]();
      watched[Symbol.dispose]();
    },
  };
}
