import { setMaxListeners } from "node:events";

import type { Side } from "../../errors.ts";
import type { Stage } from "../../events.ts";
import { connect } from "../../postgres/connect.ts";
import { sqlstateOf } from "../../postgres/server-error.ts";
import { isSilence, silent, tellOfSilence } from "./heartbeat.ts";
import { applicationName } from "../open.ts";
import type { Run } from "../run.ts";

/** A side that was asked for a sign of life, and has not given one yet. */
interface Question {
  /** As `performance.now()`; of the first of several questions in vain. */
  since: number;
  told: boolean;
  open: boolean;
}

/** Stages in which silence means something of its own. */
const DURING = ["connect", "swap"] as const;

/** A new connection takes longer than an answer, and on a busy machine much longer. */
const LEAST_MS = 5000;

/**
 * Does the work, and gives it up when a server says nothing for `--stall-timeout`: then every connection to it is cut, for many of
 * a run's statements have no limit of their own. While tasks run `heartbeat` looks after that, over sessions that are idle then. Here
 * those are at work, and may rightly be so for long; so each question is a connection of its own. A run that needs less than ten
 * seconds for what is no task asks nothing.
 * @param sides Those that the work needs. Default both.
 * @throws PgdittoError `server` with ETIMEDOUT and the side that is silent.
 */
export async function underWatch<T>(run: Run, work: (run: Run) => Promise<T>, sides: readonly Side[] = ["source", "target"]): Promise<T> {
  // CREATE DATABASE … TEMPLATE lets nobody in for as long as it takes
  if (run.config.strategy === "template") return await work(run);
  const limitMs = Math.max(run.config.stallTimeout * 1000, LEAST_MS);
  const controller = new AbortController();
  const signal = AbortSignal.any([run.signal, controller.signal]);
  setMaxListeners(0, signal); // one a connection and statement at work
  const asked = new Map<Side, Question>();
  const open = new Set<Stage>();

  const ask = (side: Side, question: Question): void => {
    question.open = true;
    hears(run, side).then(
      (heard) => {
        question.open = false;
        if (heard) asked.delete(side);
      },
      () => asked.delete(side),
    );
  };
  const beat = (): void => {
    if (signal.aborted || open.has("tasks")) return asked.clear();
    const now = performance.now();
    for (const side of sides) {
      const question = asked.get(side) ?? { since: now, told: false, open: false };
      asked.set(side, question);
      if (now - question.since >= limitMs)
        controller.abort(
          silent(
            side,
            limitMs,
            DURING.find((stage) => open.has(stage)),
          ),
        );
      else if (!question.told && now - question.since >= limitMs / 4) {
        question.told = true;
        tellOfSilence(run, side, { forMs: now - question.since, limitMs });
      }
      if (!question.open) ask(side, question);
    }
  };
  const timer = setInterval(beat, Math.min(10_000, limitMs / 8));
  try {
    return await work({
      ...run,
      signal,
      giveUp: (reason) => controller.abort(reason),
      emit: (event) => {
        if (event.type === "stage:started") open.add(event.stage);
        else if (event.type === "stage:done") open.delete(event.stage);
        run.emit(event);
      },
    });
  } catch (error) {
    if (!controller.signal.aborted || run.signal.aborted || isSilence(error)) throw error;
    // what failed then did so because its connection was cut
    throw controller.signal.reason;
  } finally {
    clearInterval(timer);
  }
}

/** Whether the server says anything at all: a refusal is an answer. */
async function hears(run: Run, side: Side): Promise<boolean> {
  const { source, target } = run.config;
  // never the target itself: a database cannot be renamed while somebody is in it
  const config = side === "source" ? source : { ...target, database: target.database === "postgres" ? "template1" : "postgres" };
  try {
    await using _session = await connect(config, { applicationName: applicationName(run, "watch"), signal: run.signal });
    return true;
  } catch (error) {
    return sqlstateOf(error) !== "ETIMEDOUT";
  }
}
