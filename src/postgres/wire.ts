import type { Duplex } from "node:stream";

import type pg from "pg";

/**
 * The part of `pg` below its documented surface that streams need: the socket and a few messages. `pg` calls an object with
 * `submit` a Submittable and drives it through these handlers (pg-query-stream and pg-copy-streams live on the same contract).
 */
export interface WireConnection {
  readonly stream: Duplex;
  query: (text: string) => void;
  sendCopyFail: (reason: string) => void;
  on: (event: string, listener: (message: never) => void) => void;
}

export interface Submittable {
  submit: (connection: WireConnection) => void;
  handleError: (error: Error) => void;
  handleReadyForQuery: () => void;
  handleCommandComplete: (message: { text: string }) => void;
  handleCopyInResponse: (connection: WireConnection) => void;
  handleCopyData: () => void;
  handleRowDescription: () => void;
  handleDataRow: () => void;
  handleEmptyQuery: () => void;
  handlePortalSuspended: () => void;
}

interface ClientInternals {
  connection: WireConnection;
  processID: number | null;
  secretKey: number | null;
}

export function internalsOf(client: pg.Client): ClientInternals {
  return client as unknown as ClientInternals;
}

export function submit(client: pg.Client, submittable: Submittable): void {
  client.query(submittable as unknown as pg.Submittable);
}

const nothing = (): void => {};

/** A Submittable that ignores what its maker does not override. */
export function submittable(parts: Partial<Submittable> & Pick<Submittable, "submit" | "handleError">): Submittable {
  return {
    handleReadyForQuery: nothing,
    handleCommandComplete: nothing,
    handleCopyInResponse: (connection) => connection.sendCopyFail("unexpected COPY FROM STDIN"),
    handleCopyData: nothing,
    handleRowDescription: nothing,
    handleDataRow: nothing,
    handleEmptyQuery: nothing,
    handlePortalSuspended: nothing,
    ...parts,
  };
}
