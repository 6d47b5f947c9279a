import type { Difference, ErrorCode, Obstacle, Side } from "./errors.ts";

/** The format of the event stream; the first event of a run carries it. It changes when an event changes its meaning. */
export const EVENT_FORMAT = 1;

/** One server and database, for people and logs: never holds a password. */
export interface EndpointSummary {
  host: string;
  port: number;
  user: string;
  database: string;
  /** `15.18`; empty until the server has been reached. */
  version: string;
}

export type PhaseNumber = 1 | 2 | 3 | 4;

export type TaskKind =
  | "pre-data"
  | "copy"
  | "export"
  | "import"
  | "large-objects"
  | "index"
  | "constraint"
  | "foreign-key"
  | "small-builds"
  | "statements"
  | "refresh"
  | "sequences"
  | "analyze"
  | "count"
  | "sql"
  | "finish";

/** What a run does outside of its tasks, in this order; `pg-dump` and `catalog` at the same time. */
export type Stage =
  | "connect"
  | "preflight"
  | "confirm"
  | "leftovers"
  | "snapshot"
  | "find-pg-dump"
  | "pg-dump"
  | "catalog"
  | "resume"
  | "plan"
  | "dump"
  | "check-dump"
  | "workers"
  | "take-off"
  | "staging"
  | "template"
  | "tasks"
  | "put-back"
  | "verify"
  | "swap"
  | "drop-old"
  | "drop-staging";

/** A setting of the target's server that cost the run time. */
export interface Advice {
  /** `max_wal_size`, … */
  setting: string;
  /** As the server shows it to pgditto's sessions: `1GB`. */
  value: string;
  /** What would have done better in this run. */
  better: string;
  /** What happened, and what the change saves. */
  message: string;
  /** How to change it, and what that takes. */
  fix: string;
}

/** An error as plain data. */
export interface ErrorSummary {
  code: ErrorCode;
  message: string;
  object?: string | undefined;
  side?: Side | undefined;
  sqlstate?: string | undefined;
  hint?: string | undefined;
  detail?: string | undefined;
  task?: string | undefined;
}

/** Plain, JSON-safe; every event also carries `time` (ISO 8601), `at` and `run`. */
export type SyncEventBody =
  /** The first event of every run. */
  | {
      type: "run:started";
      format: typeof EVENT_FORMAT;
      version: string;
      source: EndpointSummary;
      target: EndpointSummary;
      mode: "staging" | "recreate" | "truncate";
      strategy: "copy" | "template";
      /** Default `sync`. Of an export the target is empty, of an import the source is what the dump was made of. */
      command?: "sync" | "export" | "import" | undefined;
      /** The dump folder, where rows go through one. */
      folder?: string | undefined;
      jobs: number;
      batchSize: number;
      connections: number;
    }
  /** Both servers answered; versions are known. */
  | { type: "run:connected"; source: EndpointSummary; target: EndpointSummary }
  | { type: "phase:started"; phase: PhaseNumber; of: 4; name: string }
  /** One of the run's own steps begins; tasks tell of themselves. */
  | {
      type: "stage:started";
      stage: Stage;
      /** Of the stage `tasks`: how many there are. */
      tasks?: number | undefined;
    }
  /** It has ended, `failed` when by an error or a cancellation. */
  | { type: "stage:done"; stage: Stage; ms: number; failed: boolean }
  | { type: "message"; level: "info" | "warning"; code: string; message: string; hint?: string | undefined }
  /** The staging database exists from here on. */
  | { type: "staging:created"; database: string }
  | { type: "plan:ready"; tables: number; bytes: number; tasks: number; pgDump: string; snapshot: string }
  | {
      type: "task:started";
      id: string;
      kind: TaskKind;
      object: string;
      group?: string | undefined;
      parts: number;
      bytes: number;
      /** Of a copy: rows that the source's statistics let expect; undefined where the table was never analyzed. */
      expectedRows?: number | undefined;
      detail: string;
      /** Of a small table: id of the task that it shares with others; `task:retry` and `task:failed` have that one. */
      batch?: string | undefined;
      /** Number of the connection it runs on, from 1. */
      worker: number;
      /** Milliseconds that it had been ready, waiting for a free connection or for another task on its table. */
      waitedMs: number;
    }
  /** Moved since the last one; rows where they are seen to pass, and about as many: `task:done` counts them exactly. */
  | { type: "task:progress"; id: string; bytes: number; rows?: number | undefined }
  /** An index is being built by this task: once a second, while something moves. */
  | {
      type: "build:progress";
      id: string;
      /** As the target tells it: `building index: scanning table`. */
      phase: string;
      /** Of the phase; 0 of 0 where the server counts nothing in it. */
      done: number;
      total: number;
      unit: "blocks" | "rows";
    }
  | {
      type: "task:retry";
      id: string;
      kind: TaskKind;
      object: string;
      attempt: number;
      attempts: number;
      delayMs: number;
      error: ErrorSummary;
    }
  | {
      type: "task:done";
      id: string;
      kind: TaskKind;
      object: string;
      group?: string | undefined;
      parts: number;
      rows: number;
      bytes: number;
      ms: number;
      worker: number;
      /** 1 unless something failed in passing. */
      attempts: number;
      /** Process ids of the connection's sessions on the servers, as far as they are open. */
      backends: { source?: number | undefined; target?: number | undefined };
    }
  | { type: "task:failed"; id: string; kind: TaskKind; object: string; error: ErrorSummary }
  /** Every minute while tasks run, and once when they are done: how long the snapshot has kept the source from cleaning up. */
  | {
      type: "source:held";
      seconds: number;
      /** Transactions begun there since, as of its last checkpoint; undefined where the role may not ask. */
      transactions?: number | undefined;
    }
  /** Rows of every table counted on both sides and, with `checksums`, compared by content; objects compared. */
  | { type: "verify:done"; tables: number; rows: number; objects: number; checksums: boolean; differences: readonly Difference[] }
  /** Something was taken off a table of the target for a while, or is back; `not-valid`: rows break the constraint, which is back for new ones. */
  | { type: "ledger"; action: "off" | "back" | "not-valid" | "failed"; kind: string; object: string; detail: string }
  /** The dump folder is complete: its manifest is written. */
  | { type: "dump:done"; folder: string; files: number; bytes: number; tables: number; rows: number }
  | { type: "swap:done"; database: string; previous?: string | undefined }
  /** Something of an earlier or of this run was removed, or could not be. */
  | { type: "cleanup"; object: string; removed: boolean; reason: string }
  /** Just before the end of a run that succeeded and was not small. */
  | ({ type: "advice" } & Advice)
  /** The last event of a run that succeeded. */
  | {
      type: "run:done";
      tables: number;
      rows: number;
      bytes: number;
      ms: number;
      warnings: number;
      /** Of an export: the source's. */
      database: string;
      previous?: string | undefined;
      /** Of an export: where the dump is. */
      folder?: string | undefined;
    }
  /** The last event of a run that did not. */
  | {
      type: "run:failed";
      error: ErrorSummary;
      exitCode: number;
      ms: number;
      obstacles: readonly Obstacle[];
      differences: readonly Difference[];
    };

export type SyncEvent = SyncEventBody & {
  /** ISO 8601. */
  time: string;
  /** Milliseconds since the call, to the microsecond, of a clock that nobody sets. */
  at: number;
  run: string;
};

export type Emit = (event: SyncEventBody) => void;
