import type { Duplex } from "node:stream";

import type pg from "pg";

import { createFrameWalker } from "./frames.ts";
import { PlainSocket } from "./plain-socket.ts";
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

/** Frames that a sink has not let go of yet are views of what was read: nothing more is read before it has. */
function divertCopyData(stream: Duplex, sink: FrameSink): () => void {
  const parsers = stream.listeners("data") as DataListener[];
  let kept = 0;
  let restored = false;
  const walker = createFrameWalker({
    data: (bytes, begun) => {
      if (sink.write(bytes, begun)) return;
      const letGo = stream instanceof PlainSocket ? stream.hold() : undefined;
      kept += 1;
      stream.pause();
      sink.onDrain(() => {
        letGo?.();
        kept -= 1;
        // a pace may let go long after the last frame, and then it is another COPY that has reason to wait
        if (kept === 0 && !restored) stream.resume();
      });
    },
    copied: sink.copied,
    other: (bytes) => {
      const own = Buffer.from(bytes); // the parser keeps what is not whole yet
      for (const parse of parsers) parse.call(stream, own);
    },
  });
  const goBack = divert(stream, walker.walk);
  return () => {
    if (restored) return;
    restored = true;
    goBack();
    stream.resume();
  };
}

function divert(stream: Duplex, reader: DataListener): () => void {
  if (stream instanceof PlainSocket) {
    stream.divert(reader);
    return () => stream.divert(undefined);
  }
  const listeners = stream.listeners("data") as DataListener[];
  for (const listener of listeners) stream.off("data", listener);
  stream.on("data", reader);
  return () => {
    stream.off("data", reader);
    for (const listener of listeners) stream.on("data", listener);
  };
}
