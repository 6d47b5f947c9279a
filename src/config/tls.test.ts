import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import type { SslConfig } from "../postgres/connection-config.ts";
import type { Lookup } from "./parameters.ts";
import { keyObjection } from "./tls-files.ts";
import { resolveTls } from "./tls.ts";
import { collectWarnings } from "./warning.ts";

const pem = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const ROOT = pem("CERTIFICATE");
const CRL = pem("X509 CRL");
const KEY = pem("PRIVATE KEY");

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "pgditto-tls-"));
  await mkdir(join(home, ".postgresql"));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Puts a file where libpq looks by itself. */
async function put(name: string, text: string, mode = 0o600): Promise<void> {
  await writeFile(join(home, ".postgresql", name), text);
  await chmod(join(home, ".postgresql", name), mode);
}

async function resolve(parameters: Record<string, string>, host = "db1"): Promise<SslConfig & { warnings: string[] }> {
  const { warnings, warnOf } = collectWarnings();
  const lookup: Lookup = (name) => {
    const value = parameters[name];
    return value === undefined ? undefined : { value, origin: { code: "usage", name: `PG${name.toUpperCase()}` } };
  };
  const ssl = await resolveTls(lookup, host, { env: {}, cwd: home, home, platform: "linux" }, warnOf("source"));
  return { ...ssl, warnings: warnings.map((warning) => warning.code) };
}

describe("sslmode without files", () => {
  test.each<[Record<string, string>, Partial<SslConfig>]>([
    [{}, { mode: "prefer" }],
    [{ sslmode: "disable" }, { mode: "disable" }],
    [{ sslmode: "allow" }, { mode: "allow" }],
    [{ sslmode: "require" }, { mode: "require" }],
    [
      { sslmode: "require", sslnegotiation: "direct" },
      { mode: "require", negotiation: "direct" },
    ],
    [{ sslnegotiation: "postgres" }, { mode: "prefer" }],
    [{ sslrootcert: "system" }, { mode: "verify-full" }],
    [{ sslrootcert: "system", sslmode: "verify-full" }, { mode: "verify-full" }],
  ])("%j", async (parameters, expected) => {
    expect(await resolve(parameters)).toEqual({ ...expected, warnings: [] });
  });

  test.each<[Record<string, string>, string, string]>([
    [{ sslmode: "foo" }, 'PGSSLMODE: "foo" is not an sslmode.', "The modes are disable, allow"],
    [{ sslmode: "Require" }, 'PGSSLMODE: "Require" is not an sslmode.', "Did you mean require?"],
    [{ sslmode: "verify_full" }, 'PGSSLMODE: "verify_full" is not an sslmode.', "Did you mean verify-full?"],
    [{ sslmode: "require", sslrootcert: "system" }, "PGSSLMODE: sslmode require is too weak for sslrootcert=system.", "verify-full"],
    [{ sslmode: "verify-ca", sslrootcert: "system" }, "PGSSLMODE: sslmode verify-ca is too weak for sslrootcert=system.", "verify-full"],
    [{ sslnegotiation: "quick" }, 'PGSSLNEGOTIATION: "quick" is not an sslnegotiation.', "postgres or direct"],
    [{ sslnegotiation: "direct" }, "PGSSLNEGOTIATION: sslnegotiation=direct needs more than sslmode prefer.", "require"],
  ])("%j is refused", async (parameters, message, hint) => {
    const error: unknown = await resolve(parameters).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "usage", message, hint: expect.stringContaining(hint) as string });
  });

  test("a wrong sslmode is an error even over a Unix socket; a strict one is ignored there", async () => {
    await expect(resolve({ sslmode: "foo" }, "/tmp")).rejects.toThrow(PgdittoError);
    expect(await resolve({ sslmode: "verify-full" }, "/tmp")).toEqual({ mode: "disable", warnings: [] });
  });
});

describe("root certificates", () => {
  test.each([
    ["prefer", "prefer", false],
    ["allow", "allow", false],
    ["require", "verify-ca", true],
    ["verify-ca", "verify-ca", true],
    ["verify-full", "verify-full", true],
  ])("with ~/.postgresql/root.crt, %s means %s", async (sslmode, mode, verifies) => {
    await put("root.crt", ROOT);
    await put("root.crl", CRL);
    const { mode: resolved, ca, crl, warnings } = await resolve({ sslmode });
    expect({ resolved, ca, crl, warnings }).toEqual({
      resolved: mode,
      ca: verifies ? ROOT : undefined,
      crl: verifies ? CRL : undefined,
      warnings: [],
    });
  });

  test.each(["verify-ca", "verify-full"])("%s without any says where libpq looks", async (sslmode) => {
    const error: unknown = await resolve({ sslmode }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "usage",
      message: `PGSSLMODE: sslmode ${sslmode} needs a root certificate, and ${join(home, ".postgresql", "root.crt")} does not exist.`,
    });
    expect(error).toMatchObject({ hint: expect.stringContaining("sslrootcert=system") as string });
  });

  test("system is Node's list: neither root.crt nor root.crl is read", async () => {
    await put("root.crt", "no PEM");
    await put("root.crl", "no PEM");
    expect(await resolve({ sslrootcert: "system" })).toEqual({ mode: "verify-full", warnings: [] });
  });

  test("a named file is read from the current folder, and require then verifies", async () => {
    await writeFile(join(home, "ca.pem"), ROOT);
    expect(await resolve({ sslmode: "require", sslrootcert: "ca.pem" })).toMatchObject({ mode: "verify-ca", ca: ROOT });
  });

  test("a named file that verifies nothing is told", async () => {
    await writeFile(join(home, "ca.pem"), ROOT);
    expect(await resolve({ sslrootcert: "ca.pem" })).toEqual({ mode: "prefer", warnings: ["sslrootcert-unused"] });
  });

  test.each(["prefer", "require", "verify-full"])("a named file that does not exist is an error, also with %s", async (sslmode) => {
    await expect(resolve({ sslmode, sslrootcert: "gone.pem" })).rejects.toThrow(
      `The root certificate file of PGSSLROOTCERT ${join(home, "gone.pem")} does not exist.`,
    );
    await expect(resolve({ sslmode, sslrootcert: "gone.pem" })).rejects.toMatchObject({ code: "usage" });
  });

  test("disable reads nothing", async () => {
    expect(await resolve({ sslmode: "disable", sslrootcert: "gone.pem", sslcert: "gone.crt" })).toEqual({ mode: "disable", warnings: [] });
  });

  test("a file without PEM text, and a named list that is missing, are errors", async () => {
    await put("root.crt", "not a certificate");
    await expect(resolve({ sslmode: "require" })).rejects.toThrow(/root\.crt holds no PEM text/);
    await put("root.crt", ROOT);
    await expect(resolve({ sslmode: "require", sslcrl: "gone.crl" })).rejects.toThrow(
      /certificate revocation list of PGSSLCRL .*gone\.crl does not exist/,
    );
  });
});

describe("client certificates", () => {
  test("the default files are used where they are", async () => {
    await put("postgresql.crt", ROOT, 0o644);
    await put("postgresql.key", KEY);
    expect(await resolve({})).toMatchObject({ mode: "prefer", cert: ROOT, key: KEY });
  });

  test("named ones go before, with their passphrase", async () => {
    await put("postgresql.crt", "wrong");
    await put("mine.crt", ROOT);
    await put("mine.key", pem("ENCRYPTED PRIVATE KEY"));
    const parameters = { sslcert: ".postgresql/mine.crt", sslkey: join(home, ".postgresql", "mine.key") };
    expect(await resolve({ ...parameters, sslpassword: "pw" })).toMatchObject({
      cert: ROOT,
      key: pem("ENCRYPTED PRIVATE KEY"),
      passphrase: "pw",
    });
    await expect(resolve(parameters)).rejects.toThrow(/mine\.key is encrypted, and no passphrase was given/);
  });

  test("a certificate needs its key", async () => {
    await put("postgresql.crt", ROOT);
    await expect(resolve({})).rejects.toThrow(/postgresql\.crt, but its private key .*postgresql\.key does not exist/);
  });

  test("a named certificate must exist", async () => {
    await expect(resolve({ sslcert: "gone.crt" })).rejects.toThrow(/client certificate of PGSSLCERT .*gone\.crt does not exist/);
  });

  test("a key that everyone may read is refused", async () => {
    await put("postgresql.crt", ROOT);
    await put("postgresql.key", KEY, 0o644);
    await expect(resolve({})).rejects.toMatchObject({ code: "config", hint: expect.stringContaining("chmod 600") as string });
  });

  test.each<[number, number, NodeJS.Platform, boolean]>([
    [0o600, 1000, "linux", true],
    [0o400, 1000, "linux", true],
    [0o640, 1000, "linux", false],
    [0o604, 1000, "linux", false],
    [0o640, 0, "linux", true],
    [0o660, 0, "linux", false],
    [0o650, 0, "linux", false],
    [0o644, 0, "darwin", false],
    [0o666, 1000, "win32", true],
  ])("mode %o of user %i on %s: accepted %s", (mode, uid, platform, accepted) => {
    expect(keyObjection({ plain: true, mode: 0o100000 | mode, uid }, platform) === undefined).toBe(accepted);
  });

  test("a folder is no key", () => {
    expect(keyObjection({ plain: false, mode: 0o40700, uid: 0 }, "linux")).toBe("is not a plain file");
  });
});
