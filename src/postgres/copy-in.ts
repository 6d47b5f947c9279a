import type pg from "pg";

import type { CopyIn } from "./session.ts";
import { submit, submittable, type WireConnection } from "./wire.ts";

/**
 * Sends `sql`, whose last statement is a `COPY … FROM STDIN`; statements may precede it (`BEGIN; TRUNCATE …; COPY …`), so that a
 * small table costs one round trip less. There is no polite way to end a broken stream: destroy the session, because ending
 * it would commit part of a table.
 */
export function copyIn(client: pg.Client, sql: string): Promise<CopyIn> {
  return new Promise((resolve, reject) => {
    let tag = "";
    let settle: { resolve: (tag: string) => void; reject: (error: Error) => void } | undefined;
    const ended = new Promise<string>((resolveEnd, rejectEnd) => {
      settle = { resolve: resolveEnd, reject: rejectEnd };
    });
    ended.catch(() => undefined); // the relay looks at it when it is ready to
    submit(
      client,
      submittable({
        submit: (connection) => connection.query(sql),
        handleError: (error) => {
          settle?.reject(error);
          reject(error);
        },
        handleCommandComplete: (message) => {
          tag = message.text;
        },
        handleReadyForQuery: () => {
          settle?.resolve(tag);
          reject(new Error("The server did not ask for COPY data."));
        },
        handleCopyInResponse: (connection) => resolve(openCopy(connection, ended)),
      }),
    );
  });
}

function openCopy(connection: WireConnection, ended: Promise<string>): CopyIn {
  return {
    write: (frames) => connection.stream.write(frames),
    onDrain: (resume) => void connection.stream.once("drain", resume),
    finish: () => {
      connection.endCopyFrom();
      return ended;
    },
    ended,
  };
}
