import { PgdittoError } from "../../errors.ts";
import { toServerError } from "../../postgres/server-error.ts";
import type { Session } from "../../postgres/session.ts";
import { throwIfAborted } from "../../util/wait.ts";
import type { DumpRun } from "./dump-run.ts";
import { runNative } from "./native.ts";
import { PATIENCE_MS } from "./patience.ts";
import { describeProgram, type PgDumpProgram } from "./pg-dump-program.ts";
import { runWasm } from "./wasm.ts";

export interface RunPgDumpOptions {
  program: PgDumpProgram;
  /** Opens the session that pg_dump speaks over; it is closed at the end. User and database are those of its config. */
  connect: () => Promise<Session>;
  /** pg_dump's, without those that say where to connect. */
  args: readonly string[];
  signal?: AbortSignal | undefined;
  /** Milliseconds that pg_dump may do nothing at all while it is its turn. Default ten minutes. */
  patienceMs?: number | undefined;
}

/**
 * Runs pg_dump over a session that `connect` opens, and returns the script it writes.
 * @throws PgdittoError `dump` with pg_dump's or the server's words and SQLSTATE; `cancelled`; whatever `connect` throws.
 */
export async function runPgDump(options: RunPgDumpOptions): Promise<string> {
  const { program, connect, args, signal, patienceMs = PATIENCE_MS } = options;
  throwIfAborted(signal);
  await using session = await connect();
  refuseLineBreak(session, args);
  const run: DumpRun = { program, args, signal, patienceMs };
  try {
    const script =
      program.kind === "native" && program.path !== undefined ? await runNative(session, program.path, run) : await runWasm(session, run);
    if (!script.slice(-500).includes(LAST_LINE)) throw incomplete(program, session);
    return script;
  } catch (error) {
    throw toServerError(error, session.side, {}, "dump");
  }
}

/** pg_dump's last word in plain format, since before PostgreSQL 7; after it come only line breaks, a date and `\\unrestrict`. */
const LAST_LINE = "-- PostgreSQL database dump complete";

function incomplete(program: PgDumpProgram, { config, side }: Session): PgdittoError {
  return new PgdittoError("dump", `${describeProgram(program)} reported success, but its script is not complete.`, {
    side,
    object: config.database,
    hint:
      program.kind === "native"
        ? `Is ${program.path ?? "it"} a pg_dump? --pg-dump wasm uses the built-in one.`
        : "--pg-dump native uses an installed one.",
  });
}

/** pg_dump would read everything first, and then refuse to write `\connect` with such a name. */
function refuseLineBreak({ config, side }: Session, args: readonly string[]): void {
  if (!/[\r\n]/.test(config.database) || !args.includes("--create")) return;
  throw new PgdittoError("dump", `pg_dump refuses a database whose name holds a line break: ${JSON.stringify(config.database)}`, {
    side,
    object: config.database,
    hint: "Rename it: ALTER DATABASE … RENAME TO …",
  });
}
