import { PgdittoError } from "../errors.ts";
import type { SslConfig } from "../postgres/connection-config.ts";
import type { Origin } from "./origin.ts";
import type { Lookup } from "./parameters.ts";
import { factsOf, type FileFacts, readText } from "./read-file.ts";
import { absolute, libpqFiles, type Surroundings } from "./surroundings.ts";

/** A PEM file's text. `origin` is of whoever named the file; none for a file that libpq looks for by itself. */
export async function readPem(path: string, what: string, origin?: Origin): Promise<string> {
  const text = await readText(path, origin === undefined ? what : `${what} of ${origin.name}`, origin?.code ?? "config");
  if (/-----BEGIN [A-Z0-9 ]+-----/.test(text)) return text;
  throw new PgdittoError("config", `The ${what} ${path} holds no PEM text.`, {
    object: path,
    hint: "It needs a line -----BEGIN ...-----; openssl converts DER: openssl x509 -inform der.",
  });
}

/** The client certificate and its key: those named, else libpq's default files, else none. */
export async function readClientCertificate(
  lookup: Lookup,
  surroundings: Surroundings,
): Promise<Pick<SslConfig, "cert" | "key" | "passphrase">> {
  const files = libpqFiles(surroundings);
  const named = lookup("sslcert");
  const certPath = named === undefined ? files.cert : absolute(named.value, surroundings);
  if (named === undefined && (await factsOf(certPath)) === undefined) return {};
  const cert = await readPem(certPath, "client certificate", named?.origin);

  const namedKey = lookup("sslkey");
  const keyPath = namedKey === undefined ? files.key : absolute(namedKey.value, surroundings);
  const facts = await factsOf(keyPath);
  if (facts === undefined) {
    throw new PgdittoError(
      namedKey?.origin.code ?? "config",
      `There is a client certificate ${certPath}, but its private key ${keyPath} does not exist.`,
      {
        object: keyPath,
        hint: "Name the key with sslkey (PGSSLKEY).",
      },
    );
  }
  const objection = keyObjection(facts, surroundings.platform);
  if (objection !== undefined)
    throw new PgdittoError("config", `The private key ${keyPath} ${objection}.`, { object: keyPath, hint: `chmod 600 ${keyPath}` });
  const key = await readPem(keyPath, "private key", namedKey?.origin);
  const passphrase = lookup("sslpassword")?.value;
  if (passphrase === undefined && /ENCRYPTED/.test(key)) {
    throw new PgdittoError("config", `The private key ${keyPath} is encrypted, and no passphrase was given.`, {
      object: keyPath,
      hint: "Give sslpassword in the URL or the config file.",
    });
  }
  return { cert, key, passphrase };
}

/** Why libpq would refuse the key file: 0600 at most, 0640 where root owns it (manual 34.19.2). */
export function keyObjection(facts: FileFacts, platform: NodeJS.Platform): string | undefined {
  if (!facts.plain) return "is not a plain file";
  if (platform === "win32" || (facts.mode & (facts.uid === 0 ? 0o037 : 0o077)) === 0) return undefined;
  return "may be read or written by group or others";
}
