import { spawn } from "node:child_process";

import { PgdittoError } from "../../errors.ts";
import { withinMs } from "../../util/wait.ts";
import { createErrorLines } from "./error-lines.ts";

/** Milliseconds between asking pg_dump to end and making it. */
const TERM_GRACE_MS = 2000;

/** Milliseconds that a killed process may take to be gone; only a broken disk keeps it. */
const KILL_GRACE_MS = 5000;

export interface ChildEnd {
  ok: boolean;
  /** `exit code 1`, `signal SIGKILL`. */
  how: string;
  stdout: Buffer[];
  lines: readonly string[];
}

export interface Child {
  readonly pid: number | undefined;
  /** Resolves when the process is gone and its output read; rejects only when it could not be started. */
  readonly ended: Promise<ChildEnd>;
  /** SIGTERM, and SIGKILL two seconds later. Resolves when it is gone. */
  stop: () => Promise<void>;
}

export interface ChildOptions {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Called whenever it writes something. */
  onActivity: () => void;
}

export function startChild({ file, args, env, onActivity }: ChildOptions): Child {
  const child = spawn(file, args, { env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const errors = createErrorLines();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    onActivity();
  });
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    errors.push(text);
    onActivity();
  });
  const ended = new Promise<ChildEnd>((resolve, reject) => {
    child.on("error", (cause) => {
      if (child.pid !== undefined) return; // a signal that could not be sent; `close` tells the rest
      reject(
        new PgdittoError("dump", `Cannot run ${file}: ${cause.message}`, {
          object: file,
          cause,
          hint: "--pg-dump wasm uses the built-in pg_dump.",
        }),
      );
    });
    child.on("close", (code, signal) => {
      const how = signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`;
      resolve({ ok: code === 0, how, stdout, lines: errors.lines });
    });
  });
  ended.catch(() => undefined); // whoever started it looks when the rest is set up
  return {
    pid: child.pid,
    ended,
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), TERM_GRACE_MS);
      await withinMs(TERM_GRACE_MS + KILL_GRACE_MS, ended);
      clearTimeout(timer);
    },
  };
}
