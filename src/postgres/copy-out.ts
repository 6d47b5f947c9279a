import type { Duplex } from "node:stream";

import type pg from "pg";

import { createFrameWalker } from "./frames.ts";
import type { FrameSink } from "./session.ts";
import { submit, submittable } from "./wire.ts";

/**
 * Runs `COPY … TO STDOUT`, or several of them in one round trip, and hands their frames to the sink, with back-pressure on the socket.
 * Resolves with the command tags (`COPY 42`). While it runs, `pg`'s own parser sees everything except CopyData and CopyDone.
 */
export function copyOut(client: pg.Client, sql: string, sink: FrameSink): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let restore = (): void => {};
    const tags: string[] = [];
    submit(
      client,
      submittable({
        submit: (connection) => {
          restore = divertCopyData(connection.stream, sink);
          connection.query(sql);
        },
        handleError: (error) => {
          restore();
          reject(error);
        },
        handleCommandComplete: (message) => {
          tags.push(message.text);
          sink.sent?.(message.text);
        },
        handleReadyForQuery: () => {
          restore();
          resolve(tags);
        },
      }),
    );
  });
}

type DataListener = (chunk: Buffer) => void;

function divertCopyData(stream: Duplex, sink: FrameSink): () => void {
  const parsers = stream.listeners("data") as DataListener[];
  const walker = createFrameWalker({
    data: (bytes, begun) => {
      if (sink.write(bytes, begun)) return;
      stream.pause();
      sink.onDrain(() => stream.resume());
    },
    copied: sink.copied,
    other: (bytes) => {
      for (const parse of parsers) parse.call(stream, bytes);
    },
  });
  for (const parse of parsers) stream.off("data", parse);
  stream.on("data", walker.walk);
  let restored = false;
  return () => {
    if (restored) return;
    restored = true;
    stream.off("data", walker.walk);
    for (const parse of parsers) stream.on("data", parse);
    stream.resume();
  };
}
