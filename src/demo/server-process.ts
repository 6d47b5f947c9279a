import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PgdittoError } from "../errors.ts";
import type { ServerBinaries } from "./binaries.ts";
import { killServer } from "./kill-server.ts";
import type { RunUser } from "./run-user.ts";

/**
 * `fast` ends every session and writes a checkpoint, `immediate` does without the checkpoint (manual, 18.5 "Shutting Down
 * the Server"); `crash` is SIGKILL for the server and all its children.
 */
export type StopMode = "fast" | "immediate" | "crash";

export interface ServerProcess {
  readonly pid: number;
  /** True until the process has ended, whoever ended it. */
  readonly running: boolean;
  /** Escalates by itself: fast for 10 s, immediate for 6 s (the server gives its children 5), then crash. */
  stop(mode: StopMode): Promise<void>;
  /** For an exit handler: asks for an immediate shutdown and does not wait. */
  killSync(): void;
}

export interface LaunchOptions {
  binaries: ServerBinaries;
  user: RunUser | undefined;
  dataDir: string;
  logFile: string;
  settings: Readonly<Record<string, string>>;
  /** Milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

const PASSING = /could not create any TCP\/IP sockets|lock file "postmaster.pid" already exists|pre-existing shared memory block/;

/** Why a server did not start. `passing`: the port or the data were still in use, so that another try makes sense. */
export class LaunchError extends PgdittoError {
  readonly passing: boolean;

  constructor(message: string, log: string) {
    super("server", message, { detail: log });
    this.passing = PASSING.test(log);
  }
}

/** Starts `postgres` and waits until it accepts connections; throws a LaunchError that carries the server's own log. */
export async function launchServer(options: LaunchOptions): Promise<ServerProcess> {
  const { binaries, user, dataDir } = options;
  const log = await open(options.logFile, "a", 0o600);
  const { size } = await log.stat();
  const args = Object.entries(options.settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(join(binaries.binDir, platform() === "win32" ? "postgres.exe" : "postgres"), ["-D", dataDir, ...args], {
    // Its own session: Ctrl+C in the terminal is for us, who still have to clean up on the server.
    detached: true,
    env: binaries.env,
    cwd: dataDir,
    // Into a file, not a pipe: the server does not depend on us reading it.
    stdio: ["ignore", log.fd, log.fd],
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  const server = serverProcess(child);
  try {
    await once(child, "spawn");
    const deadline = Date.now() + options.timeoutMs;
    while (!(await isReady(dataDir, server.pid))) {
      options.signal?.throwIfAborted();
      if (!server.running) throw new LaunchError(`PostgreSQL ${binaries.version} did not start`, await readFrom(options.logFile, size));
      if (Date.now() > deadline)
        throw new LaunchError(
          `PostgreSQL ${binaries.version} was not ready within ${options.timeoutMs} ms`,
          await readFrom(options.logFile, size),
        );
      await sleep(20);
    }
    child.unref();
    return server;
  } catch (error) {
    await server.stop("immediate");
    throw error;
  } finally {
    await log.close();
  }
}

const STOP_STEPS = [
  { mode: "fast", signal: "SIGINT", patienceMs: 10_000 },
  { mode: "immediate", signal: "SIGQUIT", patienceMs: 6_000 },
  { mode: "crash", signal: "SIGKILL", patienceMs: 5_000 },
] as const;

function serverProcess(child: ChildProcess): ServerProcess {
  const exited = child.pid === undefined ? Promise.resolve() : new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const running = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  child.on("error", () => {});
  return {
    get pid() {
      return child.pid ?? 0;
    },
    get running() {
      return running();
    },
    async stop(mode) {
      child.ref();
      for (const step of STOP_STEPS.slice(STOP_STEPS.findIndex((candidate) => candidate.mode === mode))) {
        if (!running()) return;
        if (step.signal === "SIGKILL") await killServer(child.pid ?? 0);
        else child.kill(step.signal);
        await within(exited, step.patienceMs);
      }
    },
    killSync() {
      if (running()) child.kill(platform() === "win32" ? "SIGKILL" : "SIGQUIT");
    },
  };
}

/** The server writes `ready` in the eighth line of postmaster.pid once it listens; the first line tells whose file it is. */
async function isReady(dataDir: string, pid: number): Promise<boolean> {
  const lines = await readFile(join(dataDir, "postmaster.pid"), "utf8").then(
    (text) => text.split("\n"),
    () => [],
  );
  return lines[0] === String(pid) && lines[7]?.trim() === "ready";
}

async function readFrom(path: string, position: number): Promise<string> {
  const text = await readFile(path);
  return text.subarray(position).toString("utf8").trim().slice(-4_000);
}

async function within(promise: Promise<void>, milliseconds: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([promise, sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}
