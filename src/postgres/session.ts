import type { Duplex } from "node:stream";

import type { Side } from "../errors.ts";
import type { ConnectionConfig } from "./connection-config.ts";

/** One connection to a server, its settings pinned. Errors are PgdittoErrors with side and SQLSTATE. */
export interface Session extends AsyncDisposable {
  readonly side: Side;
  readonly config: ConnectionConfig;
  /** Process id of the server's backend. */
  readonly pid: number;
  /** As `SHOW server_version_num`: 150018. */
  readonly serverVersion: number;
  /** What the server reported at the start: `server_version`, `server_encoding`, … */
  readonly parameters: ReadonlyMap<string, string>;
  /** False once the connection is gone, whoever ended it. */
  readonly alive: boolean;
  query: <Row extends object>(text: string, values?: readonly unknown[], signal?: AbortSignal) => Promise<Row[]>;
  /** Simple protocol: any number of statements in one round trip. */
  run: (text: string, signal?: AbortSignal) => Promise<void>;
  copyOut: (sql: string, sink: FrameSink) => Promise<string>;
  copyIn: (sql: string) => Promise<CopyIn>;
  /** Hands the authenticated socket over; the session must not be used for queries afterwards, only closed. */
  takeSocket: () => Duplex;
  /** Ends whatever runs on the server, then the connection. For broken or cancelled work; never waits long. */
  abort: () => Promise<void>;
}

/** Takes CopyData frames as they come. Returning false asks for a pause until `onDrain` calls back. */
export interface FrameSink {
  write: (frames: Buffer) => boolean;
  onDrain: (resume: () => void) => void;
}

/** A `COPY … FROM STDIN` that waits for frames. */
export interface CopyIn {
  /** Writes whole or partial CopyData frames as they are; false: wait for `onDrain`. */
  write: (frames: Buffer) => boolean;
  onDrain: (resume: () => void) => void;
  /** Sends CopyDone; resolves with the command tag of the last statement (`COPY 42`). */
  finish: () => Promise<string>;
  /** Settles when the server ends the COPY on its own: rejects with its error. Never resolves before `finish`. */
  readonly ended: Promise<string>;
}

/** `15.18 (Debian …)` → 150018; `16beta1` → 160000. */
export function parseVersion(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?/.exec(text);
  return Number(match?.[1] ?? 0) * 10_000 + Number(match?.[2] ?? 0);
}
