import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  /** All that the child sees besides PATH, TMPDIR and a HOME of its own. */
  env?: Readonly<Record<string, string>>;
  /** Written to stdin; without it stdin is empty. Never a terminal. */
  input?: string;
  /** Default: the temporary HOME, so that no config file of the checkout is found. */
  cwd?: string;
  /** After that the child and its children are killed, and the promise rejects. Default 60 000. */
  timeoutMs?: number;
  /** Another entry than `dist/cli/main.js`. */
  main?: string;
}

export interface RunningCli extends AsyncDisposable {
  readonly pid: number;
  /** So far. */
  readonly stdout: string;
  readonly stderr: string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when stdout or stderr matches; rejects when the program ends first. */
  waitFor(pattern: RegExp): Promise<void>;
  readonly result: Promise<CliResult>;
}

/** Runs the built command line to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  await using cli = await startCli(args, options);
  return await cli.result;
}

/** Starts the built command line; disposal kills what is left of it. */
export async function startCli(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  const home = await mkdtemp(join(tmpdir(), "test-home-"));
  const child = spawn(process.execPath, [options.main ?? MAIN, ...args], {
    cwd: options.cwd ?? home,
    env: { PATH: process.env["PATH"], TMPDIR: tmpdir(), HOME: home, ...options.env },
    // A group of its own, which can be killed as a whole.
    detached: true,
    stdio: "pipe",
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const result = finish(child, output, args, options.timeoutMs ?? 60_000);
  result.catch(() => {});
  return {
    pid: child.pid ?? 0,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    kill: (signal) => void child.kill(signal),
    async waitFor(pattern) {
      while (!pattern.test(output.stdout) && !pattern.test(output.stderr)) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`ended without ${String(pattern)}\n${output.stdout}\n${output.stderr}`);
        await sleep(20);
      }
    },
    result,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) killGroup(child);
      await result.catch(() => {});
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function finish(
  child: ChildProcess,
  output: { stdout: string; stderr: string },
  args: readonly string[],
  timeoutMs: number,
): Promise<CliResult> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child);
  }, timeoutMs);
  try {
    // `close`, not `exit`: then all output is there, and no grandchild holds the pipes.
    await once(child, "close");
  } finally {
    clearTimeout(timer);
  }
  if (late)
    throw new Error(
      `pgditto ${args.join(" ")} took more than ${timeoutMs} ms\n${output.stdout.slice(-4000)}\n${output.stderr.slice(-4000)}`,
    );
  return { code: child.exitCode, signal: child.signalCode, ...output };
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
