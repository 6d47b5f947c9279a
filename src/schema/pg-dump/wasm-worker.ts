import type { MessagePort } from "node:worker_threads";

/**
 * What the worker gets. `turns` counts the answers posted to `answers`: the worker sleeps on it, because pg_dump wants its
 * answer from within a function call and cannot wait for an event.
 */
export interface WorkerInput {
  /** URL of `@electric-sql/pglite-tools/pg_dump`. */
  moduleUrl: string;
  args: string[];
  turns: Int32Array;
  answers: MessagePort;
}

/** What the worker says. */
export type WorkerMessage =
  | { kind: "request"; bytes: Uint8Array }
  /** `text` is the script. */
  | { kind: "done"; text: string }
  /** `text` is what pg_dump wrote to stderr, or what broke in it. */
  | { kind: "failed"; text: string };

/**
 * The worker's program, in plain JavaScript for `new Worker(source, { eval: true })`. A string, because a worker has to start from
 * something that Node itself can read, wherever this file is: as TypeScript under vitest (Node 20 cannot run that in a worker),
 * compiled in `dist/`, or bundled into somebody's program. Everything that has a decision in it is on the other side.
 *
 * The library asks its `pg` for bytes in one place only: `execProtocolRawStream` gets what pg_dump sends and must hand over the
 * answer before it returns; afterwards pg_dump reads from that, and an empty read means to libpq "no more for now" if it has
 * read something, else "the server is gone". So every request waits for its whole answer. `query` and `exec` are the library's
 * care for a search_path that is not ours to keep.
 *
 * Two repairs, both in this worker's own realm only:
 * - The library strips `\restrict` lines from the script by a pattern that also hits lines of function bodies. The script is left
 *   as pg_dump wrote it; whoever reads it knows those lines at the top level, as from a native pg_dump.
 * - pg_dump calls itself by the name of the running script.
 */
export const WORKER_SOURCE = String.raw`
"use strict";
const { parentPort, receiveMessageOnPort, workerData } = require("node:worker_threads");
const { moduleUrl, args, turns, answers } = workerData;

process.argv[1] = "pg_dump";

const replace = String.prototype.replace;
String.prototype.replace = function (pattern, replacement) {
  if (pattern instanceof RegExp && pattern.source.includes("restrict")) return String(this);
  return replace.call(this, pattern, replacement);
};

const pg = {
  query: async () => ({ rows: [{ search_path: "" }] }),
  exec: async () => [],
  execProtocolRawStream: (bytes, { onRawData }) => {
    const turn = Atomics.load(turns, 0);
    parentPort.postMessage({ kind: "request", bytes: bytes.slice() });
    while (Atomics.load(turns, 0) === turn) Atomics.wait(turns, 0, turn);
    const answer = receiveMessageOnPort(answers);
    if (answer !== undefined && answer.message.length > 0) onRawData(answer.message);
  },
};

import(moduleUrl)
  .then(({ pgDump }) => pgDump({ pg, args }))
  .then((file) => file.text())
  .then(
    (text) => parentPort.postMessage({ kind: "done", text }),
    (error) => parentPort.postMessage({ kind: "failed", text: String((error && error.message) || error) }),
  );
`;
