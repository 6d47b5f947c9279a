import { laterAwaited } from "../util/wait.ts";
import type pg from "pg";

import type { CopyIn } from "./session.ts";
import { submit, submittable, type WireConnection } from "./wire.ts";

/**
 * Sends `sql`, which holds one or more `COPY … FROM STDIN`; other statements may precede each (`BEGIN; TRUNCATE …; COPY …`), so that
 * small tables cost no round trip of their own: the server reads the frames of the next COPY where those of the one before end. After
 * an error it ignores the frames that still come (manual 55.2.6). There is no polite way to end a broken stream: destroy the session,
 * because ending it would commit part of a table.
 * @param taken Called with each COPY's tag (`COPY 42`) as it completes.
 */
export function copyIn(client: pg.Client, sql: string, taken?: (tag: string) => void): Promise<CopyIn> {
  return new Promise((resolve, reject) => {
    const tags: string[] = [];
    let settle: { resolve: (tags: string[]) => void; reject: (error: Error) => void } | undefined;
    const ended = laterAwaited(
      new Promise<string[]>((resolveEnd, rejectEnd) => {
        settle = { resolve: resolveEnd, reject: rejectEnd };
      }),
    );
    submit(
      client,
      submittable({
        submit: (connection) => connection.query(sql),
        handleError: (error) => {
          settle?.reject(error);
          reject(error);
        },
        handleCommandComplete: (message) => {
          if (!message.text.startsWith("COPY ")) return;
          tags.push(message.text);
          taken?.(message.text);
        },
        handleReadyForQuery: () => {
          settle?.resolve(tags);
          reject(new Error("The server did not ask for COPY data."));
        },
        handleCopyInResponse: (connection) => resolve(openCopy(connection, ended)),
      }),
    );
  });
}

function openCopy({ stream }: WireConnection, ended: Promise<string[]>): CopyIn {
  let waiting: (() => void)[] = [];
  const written = (error?: Error | null): void => {
    if (error || stream.writableLength > 0) return;
    const resumes = waiting;
    waiting = [];
    for (const resume of resumes) resume();
  };
  return {
    write: (frames) => {
      stream.write(frames, written);
      return stream.writableLength === 0;
    },
    onDrain: (resume) => void waiting.push(resume),
    ended,
  };
}
