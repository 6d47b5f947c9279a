import { PgdittoError } from "../../errors.ts";
import type { ConnectionConfig } from "../../postgres/connection-config.ts";
import { sqlstateOf } from "../../postgres/server-error.ts";
import { dumpHint } from "./dump-hint.ts";
import type { ServerReport } from "./error-response.ts";
import { describeProgram, type PgDumpProgram } from "./pg-dump-program.ts";

export interface DumpFailure {
  program: PgDumpProgram;
  config: ConnectionConfig;
  /** `exit code 1`, `signal SIGKILL`. */
  how: string;
  /** What pg_dump wrote, without the chatter of `--verbose`. */
  lines: readonly string[];
  /** The server's last error. */
  report: ServerReport | undefined;
  /** Set when the server's connection went before pg_dump ended it; `error` is the network's reason, if it gave one. */
  lost: { error: Error | undefined } | undefined;
}

/** One failure of pg_dump, told by whoever knows most: the server, then the network, then pg_dump itself. */
export function dumpError({ program, config, how, lines, report, lost }: DumpFailure): PgdittoError {
  const reason =
    report?.message ??
    (lost === undefined ? undefined : (lost.error?.message ?? "the server closed the connection")) ??
    ownWords(lines) ??
    how;
  const sqlstate = report?.sqlstate ?? (lost === undefined ? undefined : (sqlstateOf(lost.error) ?? "ECONNRESET"));
  const detail = [report?.detail, ...lines].filter((line) => line !== undefined);
  return new PgdittoError("dump", `${describeProgram(program)} failed: ${reason}`, {
    side: config.side,
    object: /permission denied for (?:\w+ )+(\S.*)$/.exec(reason)?.[1] ?? config.database,
    sqlstate,
    hint: dumpHint({ reason, sqlstate, user: config.user }) ?? report?.hint,
    detail: detail.length === 0 ? `It ended with ${how}.` : detail.join("\n"),
  });
}

const PREFIX = /^pg_(?:dump|restore): error: /;

function ownWords(lines: readonly string[]): string | undefined {
  return (lines.find((line) => PREFIX.test(line)) ?? lines[0])?.replace(PREFIX, "");
}

/** pg_dump thought for longer than anybody waits. */
export function stuckError(program: PgDumpProgram, config: ConnectionConfig, lines: readonly string[]): PgdittoError {
  return new PgdittoError("dump", `${describeProgram(program)} did nothing any more and was stopped.`, {
    side: config.side,
    object: config.database,
    hint:
      program.kind === "native"
        ? "Is it a pg_dump at all? --pg-dump wasm uses the built-in one."
        : "--pg-dump native uses an installed one.",
    detail: lines.length === 0 ? undefined : lines.join("\n"),
  });
}

/** For databases in SQL_ASCII, which keep whatever bytes they are given. */
export function notUtf8Error(program: PgDumpProgram, config: ConnectionConfig): PgdittoError {
  return new PgdittoError("dump", `The schema of ${config.database} holds bytes that are not valid in its encoding.`, {
    side: config.side,
    object: config.database,
    hint: dumpHint({ reason: "", sqlstate: "22021", user: config.user }),
    detail: `${describeProgram(program)} wrote a script that is not UTF-8.`,
  });
}
