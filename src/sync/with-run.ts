import { setMaxListeners } from "node:events";
import { availableParallelism, homedir, hostname, platform } from "node:os";
import { kill, pid } from "node:process";

import type { PgdittoOptions } from "../config/pgditto-options.ts";
import { resolveConfig } from "../config/resolve.ts";
import { asPgdittoError } from "../errors.ts";
import type { SyncEvent } from "../events.ts";
import { newRunId } from "../target/names.ts";
import type { ReplaceQuestion, Run } from "./run.ts";

/** How the caller takes part in a run. */
export interface RunOptions extends PgdittoOptions {
  /** Called for every event, in order, at once; what it throws ends the run. */
  onEvent?: ((event: SyncEvent) => void) | undefined;
  /** Ask the target once a second how far its indexes are, for `build:progress`. Default: where there is an `onEvent`. */
  watchBuilds?: boolean | undefined;
  /** Abort it to cancel: statements on the servers are cancelled, staging is dropped, the target is as it was. */
  signal?: AbortSignal | undefined;
  /** Asked before a database that pgditto did not make is replaced. Default: nobody, so that only `yes` allows it. */
  confirm?: ((question: ReplaceQuestion) => Promise<boolean>) | undefined;
  /** Environment variables to take options from: pass `process.env` to behave as the command line does. Default: none. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Folder that relative paths and the config file are looked for in. Default: no config file is looked for, unless `config` names one. */
  cwd?: string | undefined;
}

/** Resolves the options and does the work with a run of its own, whose timers and listeners die with it. @throws PgdittoError */
export async function withRun<T>(options: RunOptions, work: (run: Run) => Promise<T>): Promise<T> {
  const { onEvent, watchBuilds = onEvent !== undefined, signal, confirm, env = {}, cwd, hooks, ...flags } = options;
  const id = newRunId(Date.now());
  const began = performance.now();
  let over = false;
  const config = await resolveConfig({
    flags,
    hooks,
    env,
    cwd: cwd ?? "/",
    searchConfig: cwd !== undefined,
    home: homedir(),
    platform: platform(),
  }).catch((error: unknown) => {
    throw asPgdittoError(error);
  });
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one a connection and statement at work: as many as the user asked for
  const stop = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await work({
      id,
      config,
      emit: (event) => {
        // what was begun beside a step that failed (pg_dump) ends a moment later, and nobody listens any more
        if (over) return;
        over = event.type === "run:done" || event.type === "run:failed";
        const at = Math.round((performance.now() - began) * 1000) / 1000;
        onEvent?.({ ...event, time: new Date().toISOString(), at, run: id });
      },
      signal: controller.signal,
      confirm,
      machine: {
        platform: platform(),
        hostname: hostname(),
        pid: pid,
        cores: availableParallelism(),
        path: env["PATH"] ?? "",
        cwd,
        isAlive,
      },
      watchBuilds,
    });
  } catch (error) {
    throw asPgdittoError(error);
  } finally {
    signal?.removeEventListener("abort", stop);
    over = true;
    // timers and listeners of the run die with it
    controller.abort();
  }
}

/** Signal 0 is not sent: it only asks. */
function isAlive(process: number): boolean {
  try {
    return kill(process, 0);
  } catch (error) {
    // somebody else's process lives, too
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
