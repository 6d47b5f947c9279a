import { SSL_MODES, type SslConfig, type SslMode } from "../postgres/connection-config.ts";
import { nearest } from "../util/nearest.ts";
import { refuse, shown } from "./origin.ts";
import type { Lookup } from "./parameters.ts";
import { factsOf } from "./read-file.ts";
import { absolute, libpqFiles, type Surroundings } from "./surroundings.ts";
import { readClientCertificate, readPem } from "./tls-files.ts";
import type { Warn } from "./warning.ts";

/** Resolves libpq's ssl parameters (manual 34.19) into PEM texts and a mode, reading the files that libpq would read. */
export async function resolveTls(lookup: Lookup, host: string, surroundings: Surroundings, warn: Warn): Promise<SslConfig> {
  const named = chooseMode(lookup);
  // libpq neither uses TLS over a Unix socket nor complains of a mode that asks for it
  if (host.startsWith("/") || named === "disable") return { mode: "disable" };

  const root = await readRoot(lookup, named, surroundings);
  const crl = await readCrl(lookup, root !== undefined, surroundings);
  // "For backwards compatibility": require with a root certificate verifies the chain (34.19.1)
  const mode = named === "require" && root !== undefined ? "verify-ca" : named;
  const verifies = mode === "verify-ca" || mode === "verify-full";
  if (!verifies && root !== undefined) {
    const message = `sslrootcert has no effect with sslmode ${mode}: the server's certificate is not verified.`;
    warn("sslrootcert-unused", message, "Set sslmode to verify-full (or verify-ca).");
  }
  return {
    mode,
    ...(verifies ? { ca: root, crl } : {}),
    ...(await readClientCertificate(lookup, surroundings)),
    ...(lookup("sslnegotiation")?.value === "direct" ? { negotiation: "direct" } : {}),
  };
}

/** `sslmode` with libpq's default, after the checks that need no file. */
function chooseMode(lookup: Lookup): SslMode {
  const given = lookup("sslmode");
  const system = lookup("sslrootcert")?.value === "system";
  const mode = given === undefined ? (system ? "verify-full" : "prefer") : SSL_MODES.find((known) => known === given.value);
  if (mode === undefined) {
    const value = given === undefined ? "" : shown(given.value, given.origin);
    const near = nearest(given?.value ?? "", SSL_MODES, 1)[0];
    const list = `The modes are ${SSL_MODES.join(", ")}.`;
    throw refuse(
      given?.origin ?? { code: "usage", name: "sslmode" },
      `${value} is not an sslmode.`,
      near === undefined ? list : `Did you mean ${near}? ${list}`,
    );
  }
  if (system && mode !== "verify-full" && given !== undefined) {
    throw refuse(
      given.origin,
      `sslmode ${mode} is too weak for sslrootcert=system.`,
      "Use sslmode=verify-full: anyone can get a certificate that the system trusts.",
    );
  }
  const negotiation = lookup("sslnegotiation");
  if (negotiation !== undefined && !["postgres", "direct"].includes(negotiation.value)) {
    throw refuse(
      negotiation.origin,
      `${shown(negotiation.value, negotiation.origin)} is not an sslnegotiation.`,
      "Use postgres or direct.",
    );
  }
  if (negotiation?.value === "direct" && ["disable", "allow", "prefer"].includes(mode)) {
    throw refuse(
      negotiation.origin,
      `sslnegotiation=direct needs more than sslmode ${mode}.`,
      "Use sslmode=require, verify-ca or verify-full.",
    );
  }
  return mode;
}

/** The root certificates; undefined where there are none, or where Node's own list is wanted. */
async function readRoot(lookup: Lookup, mode: SslMode, surroundings: Surroundings): Promise<string | undefined> {
  const given = lookup("sslrootcert");
  if (given?.value === "system") return undefined;
  if (given !== undefined) return await readPem(absolute(given.value, surroundings), "root certificate file", given.origin);
  if (mode === "allow" || mode === "prefer") return undefined;
  const path = libpqFiles(surroundings).rootCert;
  if ((await factsOf(path)) !== undefined) return await readPem(path, "root certificate file");
  if (mode === "require") return undefined;
  const origin = lookup("sslmode")?.origin ?? { code: "usage", name: "sslmode" };
  throw refuse(
    origin,
    `sslmode ${mode} needs a root certificate, and ${path} does not exist.`,
    "Put the file there, name another one with sslrootcert (PGSSLROOTCERT), or use sslrootcert=system with sslmode=verify-full.",
  );
}

async function readCrl(lookup: Lookup, ownRoot: boolean, surroundings: Surroundings): Promise<string | undefined> {
  const given = lookup("sslcrl");
  if (given !== undefined) return await readPem(absolute(given.value, surroundings), "certificate revocation list", given.origin);
  const path = libpqFiles(surroundings).crl;
  // libpq reads no default list for the system's certificates
  return ownRoot && (await factsOf(path)) !== undefined ? await readPem(path, "certificate revocation list") : undefined;
}
