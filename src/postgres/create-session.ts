import pg from "pg";

import type { Side } from "../errors.ts";
import { cancelled, laterAwaited, throwIfAborted, withinMs } from "../util/wait.ts";
import { sendCancelRequest } from "./cancel.ts";
import type { ConnectionConfig } from "./connection-config.ts";
import { copyIn } from "./copy-in.ts";
import { copyOut } from "./copy-out.ts";
import { toServerError } from "./server-error.ts";
import type { CopyIn, ServerNotice, Session } from "./session.ts";
import { parseVersion } from "./version.ts";
import { internalsOf } from "./wire.ts";

/** Milliseconds that a cancelled statement gets to end before its connection is cut. */
const CANCEL_GRACE_MS = 2000;

/** A session over a client that is connected; its settings are pinned by whoever connected it. */
export function createSession(client: pg.Client, config: ConnectionConfig, parameters: ReadonlyMap<string, string>): Session {
  const { side } = config;
  const internals = internalsOf(client);
  const pid = internals.processID ?? 0;
  let alive = true;
  client.on("error", () => {
    alive = false;
  });
  client.on("end", () => {
    alive = false;
  });

  const cancel = (): Promise<void> => sendCancelRequest(config, pid, internals.secretKey ?? 0);

  const abort = async (): Promise<void> => {
    if (alive) await cancel();
    alive = false;
    internals.connection.stream.destroy();
  };

  /** Aborting cancels the statement on the server; a server that does not answer loses the connection. */
  const cancellable = async <T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> => {
    throwIfAborted(signal);
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      void cancel();
      timer = setTimeout(() => internals.connection.stream.destroy(), CANCEL_GRACE_MS);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await start();
    } catch (error) {
      throw signal?.aborted ? cancelled(signal) : toServerError(error, side);
    } finally {
      signal?.removeEventListener("abort", stop);
      clearTimeout(timer);
    }
  };

  const close = async (): Promise<void> => {
    if (!alive) {
      internals.connection.stream.destroy();
      return;
    }
    alive = false;
    await withinMs(2000, client.end());
    internals.connection.stream.destroy();
  };

  return {
    side,
    config,
    pid,
    serverVersion: parseVersion(parameters.get("server_version") ?? ""),
    parameters,
    get alive() {
      return alive;
    },
    query: <Row extends object>(text: string, values: readonly unknown[] = [], signal?: AbortSignal) =>
      cancellable(signal, async () => {
        const result = await client.query<Row>(text, [...values]);
        // of several statements pg gives a list of results, which its types do not tell of
        return [result].flat().flatMap(({ rows }) => rows);
      }),
    run: (text, signal) =>
      cancellable(signal, async () => {
        await runDroppingRows(client, text);
      }),
    onNotice: (listener) => {
      const heard = ({ severity, code, message }: { [field in keyof ServerNotice]?: string | undefined }): void =>
        listener({ severity: severity ?? "NOTICE", code: code ?? "", message: message ?? "" });
      client.on("notice", heard);
      return { [Symbol.dispose]: () => void client.off("notice", heard) };
    },
    copyOut: (sql, sink) => wrap(side, copyOut(client, sql, sink)),
    copyIn: async (sql, taken) => toldBySide(side, await wrap(side, copyIn(client, sql, taken))),
    takeSocket: () => {
      const { stream } = internals.connection;
      stream.removeAllListeners("data");
      return stream;
    },
    abort,
    [Symbol.asyncDispose]: close,
  };
}

/** With a listener for rows, pg does not collect them: what the user's SQL selects may be of any size. */
async function runDroppingRows(client: pg.Client, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const query = new pg.Query(text);
    query.on("row", () => undefined);
    query.on("error", reject);
    query.on("end", () => resolve());
    client.query(query);
  });
}

async function wrap<T>(side: Side, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw toServerError(error, side);
  }
}

/** What ends a COPY later (a constraint, a lost connection) is an error of that side like any other: only then is it retried. */
function toldBySide(side: Side, copy: CopyIn): CopyIn {
  return { ...copy, ended: laterAwaited(wrap(side, copy.ended)) };
}
