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
  /** Without values the text may hold several statements; their rows come in one list. */
  query: <Row extends object>(text: string, values?: readonly unknown[], signal?: AbortSignal) => Promise<Row[]>;
  /** Simple protocol: any number of statements in one round trip. Rows that come are dropped one by one. */
  run: (text: string, signal?: AbortSignal) => Promise<void>;
  /** What the server tells beside its answers, until disposal. */
  onNotice: (listener: (notice: ServerNotice) => void) => Disposable;
  /** One or more `COPY … TO STDOUT`; resolves with their command tags. */
  copyOut: (sql: string, sink: FrameSink) => Promise<string[]>;
  /** One or more `COPY … FROM STDIN`, and statements between them; `taken` is told each COPY's tag. */
  copyIn: (sql: string, taken?: (tag: string) => void) => Promise<CopyIn>;
  /** Hands the authenticated socket over; the session must not be used for queries afterwards, only closed. */
  takeSocket: () => Duplex;
  /** Ends whatever runs on the server, then the connection. For broken or cancelled work; never waits long. */
  abort: () => Promise<void>;
}

/** NOTICE, WARNING … (manual 55.8). */
export interface ServerNotice {
  /** In the server's language: `WARNUNG`. */
  severity: string;
  /** SQLSTATE; that of a warning begins with 01, unless whoever raised it chose another. */
  code: string;
  message: string;
}

/**
 * Takes CopyData and CopyDone frames as they come. They are views of memory that is read into again: true says that they are not needed
 * any more, false that they are, and that nothing is to be read, until `onDrain` calls back, once for each false.
 */
export interface FrameSink {
  /** @param begun CopyData frames that begin in it: as a rule one a row. */
  write: (frames: Buffer, begun: number) => boolean;
  onDrain: (resume: () => void) => void;
  /** The frames of one COPY have all been seen, so many bytes. */
  copied?: ((bytes: number) => void) | undefined;
  /** One COPY is complete at the source; its tag. */
  sent?: ((tag: string) => void) | undefined;
}

/** A `COPY … FROM STDIN` that waits for frames; CopyDone is one of them. */
export interface CopyIn {
  /** Writes whole or partial frames as they are. True: the system has them all, the buffer is free; false: it is when `onDrain` calls back. */
  write: (frames: Buffer) => boolean;
  onDrain: (resume: () => void) => void;
  /** Settles when the server is through with all of it: the tags of the COPYs (`COPY 42`), or its error. */
  readonly ended: Promise<string[]>;
}
