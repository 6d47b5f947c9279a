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
  | "large-objects"
  | "index"
  | "constraint"
  | "foreign-key"
  | "small-builds"
  | "statements"
  | "refresh"
  | "sequences"
  | "analyze"
  | "count";

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

/** Plain, JSON-safe; every event also carries `time` (ISO 8601) and `run`. */
export type SyncEventBody =
  /** The first event of every run. */
  | {
      type: "run:started";
      format: typeof EVENT_FORMAT;
      version: string;
      source: EndpointSummary;
      target: EndpointSummary;
      mode: "staging" | "recreate";
      jobs: number;
      batchSize: number;
      connections: number;
    }
  /** Both servers answered; versions are known. */
  | { type: "run:connected"; source: EndpointSummary; target: EndpointSummary }
  | { type: "phase:started"; phase: PhaseNumber; of: 4; name: string }
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
      detail: string;
    }
  | { type: "task:progress"; id: string; bytes: number }
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
    }
  | { type: "task:failed"; id: string; kind: TaskKind; object: string; error: ErrorSummary }
  /** Rows of every table counted on both sides, objects compared. */
  | { type: "verify:done"; tables: number; rows: number; objects: number; differences: readonly Difference[] }
  | { type: "swap:done"; database: string; previous?: string | undefined }
  /** Something of an earlier or of this run was removed, or could not be. */
  | { type: "cleanup"; object: string; removed: boolean; reason: string }
  /** The last event of a run that succeeded. */
  | {
      type: "run:done";
      tables: number;
      rows: number;
      bytes: number;
      ms: number;
      warnings: number;
      database: string;
      previous?: string | undefined;
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

export type SyncEvent = SyncEventBody & { time: string; run: string };

export type Emit = (event: SyncEventBody) => void;
