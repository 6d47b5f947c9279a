import type { ResolvedConfig } from "../config/resolve.ts";
import type { PgdittoError, Side } from "../errors.ts";
import type { Emit, Stage } from "../events.ts";
import type { SqlStep } from "../plan/sql-step.ts";

/** What every step of a run is given. Nothing of it changes while the run lasts. */
export interface Run {
  /** Ten characters, in the name of everything that the run makes. */
  id: string;
  config: ResolvedConfig;
  emit: Emit;
  /** Aborted when the caller cancels; every wait of the run ends with it. */
  signal: AbortSignal;
  /** Ends the run for a reason that only one of its steps has found out: `signal` is aborted with it. Absent before the run is watched. */
  giveUp?: ((reason: PgdittoError) => void) | undefined;
  /** Asks whether a database that pgditto did not make may be replaced; absent: nobody is there to answer. */
  confirm: ((question: ReplaceQuestion) => Promise<boolean>) | undefined;
  /** Somebody wants to be told how far indexes are. */
  watchBuilds?: boolean | undefined;
  machine: Machine;
  /** The user's own SQL, read and checked. Absent: there is none. */
  steps?: readonly SqlStep[] | undefined;
}

/** What a run needs to know of the machine and process it runs in. */
interface Machine {
  platform: NodeJS.Platform;
  hostname: string;
  pid: number;
  /** That this process may use. */
  cores: number;
  /** Where relative paths start; undefined: the caller has not said. */
  cwd: string | undefined;
  /** Whether a process of this machine lives. */
  isAlive: (pid: number) => boolean;
  /** PATH, for finding pg_dump. */
  path: string;
}

export interface ReplaceQuestion {
  /** The name that has to be typed. */
  database: string;
  /** `host:port/database`. */
  target: string;
  owner: string;
  bytes: number;
  /** With mode `truncate`: the rows of so many tables are replaced, and nothing else. */
  tables?: number | undefined;
}

export function warn(run: Pick<Run, "emit">, code: string, message: string, hint?: string): void {
  run.emit({ type: "message", level: "warning", code, message, hint });
}

export function info(run: Pick<Run, "emit">, code: string, message: string): void {
  run.emit({ type: "message", level: "info", code, message });
}

/** Does one of the run's own steps, and tells when it begins and ends. */
export async function stage<T>(
  run: Pick<Run, "emit">,
  name: Stage,
  work: () => T | Promise<T>,
  facts: { tasks?: number } = {},
): Promise<T> {
  const started = performance.now();
  let failed = true;
  run.emit({ type: "stage:started", stage: name, ...facts });
  try {
    const result = await work();
    failed = false;
    return result;
  } finally {
    run.emit({ type: "stage:done", stage: name, ms: Math.round(performance.now() - started), failed });
  }
}

/** What resolving the configuration found worth knowing. @param idle A side that nobody will connect to. */
export function warnOfConfig(run: Pick<Run, "emit" | "config">, idle?: Side): void {
  for (const warning of run.config.warnings)
    if (idle === undefined || warning.side !== idle) warn(run, warning.code, warning.message, warning.hint);
}
