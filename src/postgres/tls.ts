import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";

import type { ConnectionConfig } from "./connection-config.ts";

/** One attempt to connect: with TLS as given, or in clear text (`false`). */
export type TlsAttempt = ConnectionOptions | false;

/**
 * The attempts that libpq's `sslmode` stands for, in order (manual 34.19.1, table 34.1). Unix sockets never use TLS. `prefer` and
 * `allow` fall back for the same reasons as libpq's: no TLS on the server, or the server's rules refused the first try.
 */
export function tlsAttempts(config: ConnectionConfig): TlsAttempt[] {
  const { ssl } = config;
  if (config.host.startsWith("/") || ssl.mode === "disable") return [false];
  const verify = ssl.mode === "verify-ca" || ssl.mode === "verify-full";
  const tls: ConnectionOptions = { rejectUnauthorized: verify, minVersion: "TLSv1.2" };
  if (ssl.ca !== undefined) tls.ca = ssl.ca;
  if (ssl.cert !== undefined) tls.cert = ssl.cert;
  if (ssl.key !== undefined) tls.key = ssl.key;
  if (ssl.passphrase !== undefined) tls.passphrase = ssl.passphrase;
  if (ssl.crl !== undefined) tls.crl = ssl.crl;
  if (isIP(config.host) === 0) tls.servername = config.host;
  // verify-ca trusts the chain but not the name
  if (ssl.mode !== "verify-full") tls.checkServerIdentity = () => undefined;
  if (ssl.mode === "prefer") return [tls, false];
  if (ssl.mode === "allow") return [false, tls];
  return [tls];
}
