import { PgdittoError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { formatDuration } from "../util/format.ts";
import { type Run, warn } from "./run.ts";

/** While tasks run, aborted with the reason when a server stops answering. */
export interface Heartbeat extends Disposable {
  signal: AbortSignal;
}

/**
 * Asks each server for a sign of life over a session that has nothing else to do. A server that is stopped, or a network that swallows
 * everything, says nothing at all: TCP finds out after many minutes or never, and an index may rightly take hours without a byte. So
 * what counts is whether the server answers somebody. It is told of when it has been silent for a quarter of the limit.
 */
export function heartbeat(run: Run, sessions: readonly Session[]): Heartbeat {
  const limitMs = run.config.stallTimeout * 1000;
  const controller = new AbortController();
  const asked = new Map<Session, { at: number; told: boolean }>();

  const beat = (): void => {
    const now = performance.now();
    for (const session of sessions) {
      const question = asked.get(session);
      if (!question) {
        // a session that is lost is found out by whoever needs it next
        if (!session.alive) continue;
        asked.set(session, { at: now, told: false });
        const answered = (): void => void asked.delete(session);
        session.run("SELECT 1").then(answered, answered);
      } else if (now - question.at >= limitMs) controller.abort(silent(session, limitMs));
      else if (!question.told && now - question.at >= limitMs / 4) {
        question.told = true;
        warn(
          run,
          "stalled",
          `The ${session.side} has not answered for ${formatDuration(now - question.at)}; after ${formatDuration(limitMs)} the run is given up.`,
        );
      }
    }
  };
  const timer = setInterval(beat, Math.min(10_000, limitMs / 8));
  return {
    signal: AbortSignal.any([run.signal, controller.signal]),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** The failure is that the target says nothing: no use waiting for it when tidying up. */
export function isSilentTarget(error: unknown): boolean {
  return error instanceof PgdittoError && error.side === "target" && error.sqlstate === "ETIMEDOUT";
}

function silent({ side }: Session, limitMs: number): PgdittoError {
  return new PgdittoError(
    "server",
    `The ${side} has not answered for ${formatDuration(limitMs)}: its server or the network stands still.`,
    {
      side,
      sqlstate: "ETIMEDOUT",
      hint: "The live target is as it was. Look at the server (is it stopped, its disk hanging?) and the network, and run again; --stall-timeout sets the limit.",
    },
  );
}
