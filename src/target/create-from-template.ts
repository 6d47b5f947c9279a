import { PgdittoError } from "../errors.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { withRetries } from "../scheduler/retry.ts";
import { sleep } from "../util/wait.ts";
import { describeVisitor, readVisitors, type Visitors } from "./sessions-in.ts";
import { claimStaging, notCreated, type StagingOptions } from "./staging.ts";

/**
 * Below this size every block goes through WAL, which spares the server two checkpoints; above it files are copied, which spares it a
 * second copy of the database in the WAL. Bytes. Measured: 8 to 64 MB took as long in either way or less with WAL, 2.3 GB 17 s with
 * WAL and 3 to 7 s as files; on a server with other work to flush a checkpoint costs it more than it cost here.
 */
const SMALL = 64 * 1024 * 1024;

interface Template {
  oid: number;
  name: string;
  bytes: number;
}

interface TemplateOptions extends StagingOptions {
  template: Template;
  /** Attempts in all while somebody is connected to the template; the server itself waits 5 s for them in each. */
  attempts: number;
  onBusy: (delayMs: number) => void;
  /** What the names of this run's own sessions begin with. */
  own: string;
}

/** The choice exists from PostgreSQL 15 on; older servers copy files. */
export function copyMethod(bytes: number, serverVersion: number): "WAL_LOG" | "FILE_COPY" {
  return serverVersion >= 150_000 && bytes < SMALL ? "WAL_LOG" : "FILE_COPY";
}

/**
 * Lets the server copy another of its databases, as it is. While that runs nobody can connect to the template, and nobody may be connected.
 * @throws PgdittoError `schema`, with SQLSTATE 55006 and the list of who is connected after the last attempt.
 */
export async function createFromTemplate(session: Session, staging: string, options: TemplateOptions): Promise<void> {
  const { template, signal } = options;
  const method = session.serverVersion >= 150_000 ? ` STRATEGY = ${copyMethod(template.bytes, session.serverVersion)}` : "";
  const statement = `CREATE DATABASE ${quoteIdent(staging)} WITH TEMPLATE ${quoteIdent(template.name)}${method}`;
  try {
    await withRetries(
      {
        attempts: options.attempts,
        isWorthwhile: isBusy,
        wait: (ms) => sleep(ms, signal),
        onRetry: ({ delayMs }) => options.onBusy(delayMs),
      },
      () => session.run(statement, signal),
    );
  } catch (error) {
    if (!(error instanceof PgdittoError) || signal.aborted) throw error;
    const there = isBusy(error) ? busyDetail(await readVisitors(session, template.oid, options.own)) : [];
    throw notCreated(error, staging, {
      hint: isBusy(error)
        ? `Somebody connected to the source meanwhile. Keep them away from it until the copy is made, or use --strategy copy, which lets them work. The target is as it was.`
        : error.hint,
      detail: [...there, `Statement: ${statement}`].join("\n"),
    });
  }
  await claimStaging(session, staging, options);
}

function isBusy(error: unknown): boolean {
  return error instanceof PgdittoError && error.sqlstate === "55006";
}

function busyDetail({ sessions, prepared }: Visitors): string[] {
  const lines = [...sessions.map(describeVisitor), ...prepared.map((gid) => `prepared transaction ${gid}`)];
  return lines.length > 0 ? lines : ["Whoever it was is gone again."];
}
