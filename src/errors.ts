/**
 * What can go wrong, and the exit code the command line answers with. This table is the documentation of the codes:
 * `docs/exit-codes.md` is written from it.
 */
export const ERROR_CODES = {
  /** Unknown flag, command or value on the command line or in the environment. */
  usage: 2,
  /** The config file cannot be read, or a value in it is of the wrong kind. */
  config: 2,
  /** A table pattern matched nothing. */
  "no-match": 2,
  /** The source cannot be reached, or refuses us. */
  "source-connect": 4,
  /** The target cannot be reached, or refuses us. */
  "target-connect": 5,
  /** An obstacle was found before anything was touched. */
  preflight: 6,
  /** The target holds a database that pgditto did not make, and nobody confirmed its replacement. */
  "not-confirmed": 6,
  /** A dump folder cannot be used: not writable, not empty, not whole, or of a newer format. Nothing was touched. */
  "dump-folder": 6,
  /** The target, or the dump folder, has not room enough; what had been made is removed again. */
  space: 6,
  /** Another run holds this target. */
  locked: 9,
  /** The copy differs from the source; nothing was swapped. */
  verify: 3,
  /** pg_dump is missing, failed, or wrote something that pgditto does not understand. */
  dump: 1,
  /** A schema object could not be created on the target. */
  schema: 1,
  /** Rows did not arrive. */
  copy: 1,
  /** The staging database is complete, but could not take the target's name. */
  swap: 1,
  /** `--resume`: what an earlier run left was made from something else, or in another way. */
  "not-resumable": 6,
  /** The source's snapshot is gone, and a connection that was lost cannot join it again. */
  "snapshot-lost": 1,
  /** A statement of the user's own SQL failed, or a hook of theirs. */
  sql: 1,
  /** A statement failed on one of the servers. */
  server: 1,
  /** The run was cancelled by its caller, Ctrl+C or a signal. */
  cancelled: 130,
  /** A defect in pgditto. */
  internal: 1,
} as const;

/** The exit code of a failure that `--resume` can go on from. */
const RESUMABLE = 7;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Which of the two servers an error or event concerns: MAIN is the source, ARCHIVE the target. */
export type Side = "source" | "target";

/** Something the target cannot hold, or that stands in the way of the run, with its fix. */
export interface Obstacle {
  /** Stable, for scripts: `missing-role`, `no-select`, … */
  code: string;
  side: Side;
  message: string;
  fix: string;
}

/** One line of the table that validation prints. */
export interface Difference {
  kind: string;
  object: string;
  source: string;
  target: string;
  /** With kind `row`: which one. */
  row?: DifferentRow | undefined;
}

/** A row that is not the same on both sides. */
export interface DifferentRow {
  /** `public.orders`. */
  table: string;
  state: "missing" | "extra" | "different";
  /** Values of the primary key as text, by column. */
  key?: Readonly<Record<string, string>> | undefined;
  /** With state `different`: the columns that differ. */
  columns?: readonly string[] | undefined;
  /** Without a primary key: the table or partition that holds it and its ctid there, on the source when it is missing on the target. */
  place?: string | undefined;
  ctid?: string | undefined;
}

export interface ErrorFacts {
  /** The object concerned, as its owner would name it: a table, an index, a flag, a file. */
  object?: string | undefined;
  side?: Side | undefined;
  /** SQLSTATE of five characters (appendix "PostgreSQL Error Codes"), or an errno such as ECONNREFUSED. */
  sqlstate?: string | undefined;
  /** What to do about it. */
  hint?: string | undefined;
  /** Further lines: the server's DETAIL, the list of obstacles. */
  detail?: string | undefined;
  /** The task that failed, for example `copy`. */
  task?: string | undefined;
  /** With code `preflight`: all of them. */
  obstacles?: readonly Obstacle[] | undefined;
  /** With code `verify`: all of them. */
  differences?: readonly Difference[] | undefined;
  /** The staging database is kept, and `--resume` can go on with it: the exit code is 7 then, whatever the code. */
  resumable?: boolean | undefined;
  cause?: unknown;
}

/** The one error class of pgditto: a literal `code`, the object it concerns, what to do, and the cause. */
export class PgdittoError extends Error {
  override readonly name = "PgdittoError";
  readonly code: ErrorCode;
  readonly object: string | undefined;
  readonly side: Side | undefined;
  readonly sqlstate: string | undefined;
  readonly hint: string | undefined;
  readonly detail: string | undefined;
  readonly task: string | undefined;
  readonly obstacles: readonly Obstacle[];
  readonly differences: readonly Difference[];
  readonly resumable: boolean;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.object = facts.object;
    this.side = facts.side;
    this.sqlstate = facts.sqlstate;
    this.hint = facts.hint;
    this.detail = facts.detail;
    this.task = facts.task;
    this.obstacles = facts.obstacles ?? [];
    this.differences = facts.differences ?? [];
    this.resumable = facts.resumable ?? false;
  }

  /** The exit code that the command line answers with. */
  get exitCode(): number {
    return this.resumable && this.code !== "cancelled" ? RESUMABLE : ERROR_CODES[this.code];
  }
}

/** Wraps anything thrown; an error of ours passes as it is. */
export function asPgdittoError(error: unknown): PgdittoError {
  if (error instanceof PgdittoError) return error;
  return new PgdittoError("internal", error instanceof Error ? error.message : String(error), {
    cause: error,
    hint: "This is a defect in pgditto. Please report it with the command and the output of --json.",
  });
}
