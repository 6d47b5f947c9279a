import { PgdittoError, type Side } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { formatDuration } from "../../util/format.ts";
import { type Run, warn } from "../run.ts";
import { watchCopies } from "./watch-copies.ts";

/** While tasks run, aborted with the reason when a server stops answering. */
export interface Heartbeat extends Disposable {
  signal: AbortSignal;
}

/**
 * Asks each server for a sign of life over a session that has nothing else to do. A server that is stopped, or a network that swallows
 * everything, says nothing at all: TCP finds out after many minutes or never, and an index may rightly take hours without a byte. So
 * what counts is whether the server answers somebody, and whether copies move. It is told of when it has been silent for a quarter of the limit.
 */
export function heartbeat(run: Run, sessions: readonly Session[]): Heartbeat {
  const limitMs = run.config.stallTimeout * 1000;
  const controller = new AbortController();
  const asked = new Map<Session, { at: number; told: boolean }>();

  const giveUp = (reason: PgdittoError): void => {
    controller.abort(reason);
    // connections that are being opened, and statements without a signal, wait for that server too
    run.giveUp?.(reason);
  };
  const copies = watchCopies(run);
  const beat = (): void => {
    const now = performance.now();
    // a side that has not answered since was not looked at
    const stalled = asked.size === 0 ? copies.stalled(limitMs) : undefined;
    if (stalled) return giveUp(stalled);
    for (const session of sessions) {
      const question = asked.get(session);
      if (!question) {
        // a session that is lost is found out by whoever needs it next
        if (!session.alive) continue;
        asked.set(session, { at: now, told: false });
        const answered = (): void => void asked.delete(session);
        copies.look(session).then(answered, answered);
      } else if (now - question.at >= limitMs) giveUp(silent(session.side, limitMs));
      else if (!question.told && now - question.at >= limitMs / 4) {
        question.told = true;
        tellOfSilence(run, session.side, { forMs: now - question.at, limitMs });
      }
    }
  };
  const timer = setInterval(beat, Math.min(10_000, limitMs / 8));
  return {
    signal: AbortSignal.any([run.signal, controller.signal]),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** The failure is that a server says nothing, or that nothing of a copy moves. */
export function isSilence(error: unknown): error is PgdittoError {
  return error instanceof PgdittoError && error.sqlstate === "ETIMEDOUT";
}

export function tellOfSilence(run: Run, side: Side, { forMs, limitMs }: { forMs: number; limitMs: number }): void {
  const message = `The ${side} has not answered for ${formatDuration(forMs)}; after ${formatDuration(limitMs)} the run is given up.`;
  warn(run, "stalled", message);
}

/** @param during While the names were being swapped: whether they were, only the server knows. */
export function silent(side: Side, limitMs: number, during?: "connect" | "swap"): PgdittoError {
  const state = during === "swap" ? "The swap may have been done or not, in whole: look at the target." : "The live target is as it was.";
  return new PgdittoError(
    during === "connect" ? `${side}-connect` : "server",
    `The ${side} has not answered for ${formatDuration(limitMs)}: its server or the network stands still.`,
    {
      side,
      sqlstate: "ETIMEDOUT",
      // a run that has made nothing yet begins anew then
      resumable: during !== "connect",
      hint: `${state} Look at the server (is it stopped, its disk hanging?) and the network, and run again; --stall-timeout sets the limit.`,
    },
  );
}
