import type { Side } from "../errors.ts";

/** libpq's `sslmode` (manual, 34.19 "SSL Support"). */
export const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

export interface SslConfig {
  mode: SslMode;
  /** PEM of the root certificates to trust; undefined: Node's own list when `mode` verifies. */
  ca?: string | undefined;
  /** PEM of the client certificate and its key. */
  cert?: string | undefined;
  key?: string | undefined;
  passphrase?: string | undefined;
  /** PEM of certificate revocation lists. */
  crl?: string | undefined;
  /** libpq's `sslnegotiation`: `direct` starts TLS at once (PostgreSQL 17). Default `postgres`. */
  negotiation?: "postgres" | "direct" | undefined;
}

/** Everything that is needed to open a session; resolved once, from URL, environment, files and defaults. */
export interface ConnectionConfig {
  side: Side;
  /** Host name, address, or the directory of a Unix socket (begins with `/`). */
  host: string;
  port: number;
  user: string;
  database: string;
  /** Undefined: none was found anywhere; the server may not ask for one. Never print this. */
  password?: string | undefined;
  ssl: SslConfig;
  /** Milliseconds until an attempt to connect is given up. Default 10 000. */
  connectTimeoutMs: number;
  /** Milliseconds of silence before TCP asks whether the other end is there; 0: when the system likes to, false: never. Default 30,000. */
  keepAliveMs?: number | false | undefined;
  /** libpq's `options`, sent as they are. */
  options?: string | undefined;
}

/** `host:port/database`, for people: never holds the password. */
export function describeConnection(config: ConnectionConfig): string {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  return `${host}:${config.port}/${config.database}`;
}
