import { describe, expect, test } from "vitest";

import type { ConnectionConfig, SslConfig, SslMode } from "./connection-config.ts";
import { type TlsAttempt, tlsAttempts } from "./tls.ts";

function attempts(ssl: SslConfig, host = "db.example"): TlsAttempt[] {
  const config: ConnectionConfig = { side: "source", host, port: 5432, user: "u", database: "d", ssl, connectTimeoutMs: 1000 };
  return tlsAttempts(config);
}

/** `clear`, `tls` (whoever answers), `ca` (a certificate we trust, of anybody), `full` (of this host). */
function kindOf(attempt: TlsAttempt): string {
  if (attempt === false) return "clear";
  if (attempt.rejectUnauthorized !== true) return "tls";
  return attempt.checkServerIdentity === undefined ? "full" : "ca";
}

test.each<[SslMode, string[]]>([
  ["disable", ["clear"]],
  ["allow", ["clear", "tls"]],
  ["prefer", ["tls", "clear"]],
  ["require", ["tls"]],
  ["verify-ca", ["ca"]],
  ["verify-full", ["full"]],
])("sslmode=%s", (mode, kinds) => {
  expect(attempts({ mode }).map(kindOf)).toEqual(kinds);
  // a Unix socket never uses TLS
  expect(attempts({ mode }, "/var/run/postgresql").map(kindOf)).toEqual(["clear"]);
});

describe("what TLS is given", () => {
  test("certificates, key and revocation list", () => {
    const files = { ca: "CA", cert: "CERT", key: "KEY", passphrase: "PASS", crl: "CRL" };
    expect(attempts({ mode: "verify-full", ...files })[0]).toMatchObject({ ...files, minVersion: "TLSv1.2" });
  });

  test("nothing that was not given, for undefined means something else to Node", () => {
    expect(Object.keys(attempts({ mode: "verify-full" })[0] || {}).toSorted()).toEqual(["minVersion", "rejectUnauthorized", "servername"]);
  });

  test.each([
    ["db.example", "db.example"],
    ["10.0.0.1", undefined],
    ["::1", undefined],
  ])("the name for SNI: %s", (host, servername) => {
    expect(attempts({ mode: "require" }, host)[0]).toHaveProperty("rejectUnauthorized", false);
    expect((attempts({ mode: "require" }, host)[0] || {}).servername).toBe(servername);
  });

  test("verify-ca takes a certificate of another name", () => {
    const [attempt] = attempts({ mode: "verify-ca" });
    expect(attempt && attempt.checkServerIdentity?.("other", {} as never)).toBeUndefined();
  });
});
