import type { Duplex } from "node:stream";

import pg from "pg";

import { type ErrorCode, PgdittoError } from "../errors.ts";
import { sleep, throwIfAborted } from "../util/wait.ts";
import { type ConnectionConfig, describeConnection } from "./connection-config.ts";
import { connectHint } from "./connect-hint.ts";
import { pinnedSettings } from "./pins.ts";
import { PlainSocket } from "./plain-socket.ts";
import { sqlstateOf, toServerError } from "./server-error.ts";
import { createSession } from "./create-session.ts";
import type { Session } from "./session.ts";
import { isTransient } from "./sqlstate.ts";
import { type TlsAttempt, tlsAttempts } from "./tls.ts";
import { internalsOf } from "./wire.ts";

/** Firewalls forget a connection that is silent for some minutes; a dead one is found after this and ten questions, a second apart. */
const KEEP_ALIVE_MS = 30_000;

export interface ConnectOptions {
  /** What `pg_stat_activity` shows; at most 63 bytes. */
  applicationName: string;
  signal?: AbortSignal | undefined;
  /** Attempts in all. Default 1. */
  attempts?: number | undefined;
  /** Also try again when nobody listens (`ECONNREFUSED`): right in the middle of a run, a retry storm at its start. */
  patient?: boolean | undefined;
}

/**
 * Opens a session with the pinned settings.
 * @throws PgdittoError `source-connect` or `target-connect`, with the reason and what to do; the password is in none of it.
 */
export async function connect(config: ConnectionConfig, options: ConnectOptions): Promise<Session> {
  for (let attempt = 1; ; attempt += 1) {
    throwIfAborted(options.signal);
    try {
      return await connectOnce(config, options);
    } catch (error) {
      const sqlstate = sqlstateOf(error);
      const again = isTransient(sqlstate) && (options.patient === true || !sqlstate?.startsWith("E"));
      if (!again || attempt >= (options.attempts ?? 1)) throw error;
      await sleep(2000 * attempt, options.signal);
    }
  }
}

async function connectOnce(config: ConnectionConfig, options: ConnectOptions): Promise<Session> {
  let firstError: unknown;
  for (const tls of tlsAttempts(config)) {
    try {
      return await openWith(config, tls, options);
    } catch (error) {
      throwIfAborted(options.signal); // a cancelled attempt is no refusal
      // The refusal of the preferred way says more than that of the fallback, unless the fallback only exists for want of TLS.
      const better = error instanceof pg.DatabaseError && !(firstError instanceof pg.DatabaseError);
      if (firstError === undefined || better || lacksTls(firstError)) firstError = error;
      if (!worthFallback(error)) break;
    }
  }
  throw connectError(config, firstError);
}

/** `pg`'s words for a server that answers the wish for TLS with N. */
function lacksTls(error: unknown): boolean {
  return error instanceof Error && error.message.includes("does not support SSL");
}

function worthFallback(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code === "28000"; // no pg_hba.conf entry for this kind of connection
  return error instanceof Error && /SSL|TLS|EPROTO|wrong version number/i.test(`${error.message} ${sqlstateOf(error) ?? ""}`);
}

async function openWith(config: ConnectionConfig, tls: TlsAttempt, options: ConnectOptions): Promise<Session> {
  const client = new pg.Client({
    host: config.host,
    port: config.port,
    user: config.user,
    database: config.database,
    // a function, so that pg neither reads a .pgpass of its own nor prints the value
    password: () => {
      if (config.password !== undefined) return config.password;
      throw new PgdittoError(connectCode(config), "The server asks for a password, and none was given.");
    },
    ssl: tls,
    ...(tls === false ? { stream: () => new PlainSocket() } : {}),
    ...(config.ssl.negotiation === "direct" && tls !== false ? { sslnegotiation: "direct" } : {}),
    ...(config.options === undefined ? {} : { options: config.options }),
    application_name: options.applicationName,
    connectionTimeoutMillis: config.connectTimeoutMs,
    keepAlive: config.keepAliveMs !== false,
    keepAliveInitialDelayMillis: config.keepAliveMs === false ? 0 : (config.keepAliveMs ?? KEEP_ALIVE_MS),
  });
  client.on("error", () => undefined); // told to whoever waits for a query; an idle session's loss shows at its next use
  const parameters = new Map<string, string>();
  internalsOf(client).connection.on("parameterStatus", (status: { parameterName: string; parameterValue: string }) => {
    parameters.set(status.parameterName, status.parameterValue);
  });
  const stop = (): void => void internalsOf(client).connection.stream.destroy();
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    await client.connect();
    const session = createSession(client, config, parameters);
    await client.query(pinnedSettings(session.serverVersion));
    cutWhenSilent(config, internalsOf(client).connection.stream, options.signal);
    return session;
  } catch (error) {
    internalsOf(client).connection.stream.destroy();
    throwIfAborted(options.signal);
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
}

/** What waits for a server that has fallen silent waits for ever, unless its connection is cut: not every statement has a signal. */
function cutWhenSilent({ side }: ConnectionConfig, stream: Duplex, signal: AbortSignal | undefined): void {
  const cut = (): void => {
    const reason: unknown = signal?.reason;
    if (reason instanceof PgdittoError && reason.sqlstate === "ETIMEDOUT" && reason.side === side) stream.destroy();
  };
  signal?.addEventListener("abort", cut, { once: true });
  stream.once("close", () => signal?.removeEventListener("abort", cut));
}

function connectCode(config: ConnectionConfig): ErrorCode {
  return config.side === "source" ? "source-connect" : "target-connect";
}

function connectError(config: ConnectionConfig, error: unknown): PgdittoError {
  const { side } = config;
  const reason = toServerError(error, side);
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return new PgdittoError(
    connectCode(config),
    `Cannot connect to the ${side} ${describeConnection(config)} as ${config.user}: ${first?.message ?? reason.message}`,
    {
      side,
      object: describeConnection(config),
      sqlstate: sqlstateOf(error),
      hint: reason.hint ?? connectHint(config, sqlstateOf(error), reason.message),
      detail: reason.detail,
      cause: error,
    },
  );
}
