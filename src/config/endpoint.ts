import type { Side } from "../errors.ts";
import type { ConnectionConfig } from "../postgres/connection-config.ts";
import { parseConnectionString } from "./connection-string.ts";
import { keepAliveOf } from "./keepalive.ts";
import { type Locate, parseEndpointObject } from "./endpoint-object.ts";
import type { EndpointOptions } from "./endpoint-options.ts";
import { endpointVariables, libpqVariables } from "./endpoint-env.ts";
import { parseOption } from "./option-value.ts";
import { refuse, shown } from "./origin.ts";
import { type Given, type Lookup, type Parameters, unenforced } from "./parameters.ts";
import { findConnectionPassword } from "./password.ts";
import { ambientService, findService } from "./service-file.ts";
import type { Surroundings } from "./surroundings.ts";
import { resolveTls } from "./tls.ts";
import type { Warn } from "./warning.ts";

/** One end as it was given in one place: a flag, a variable, a file. */
export interface GivenEndpoint {
  value: string | EndpointOptions;
  key: "source" | "target";
  locate: Locate;
}

export interface EndpointSources {
  side: Side;
  /** A flag or library option; it replaces `MAIN_DB_URL` and the file's entry as a whole. */
  flag: GivenEndpoint | undefined;
  /** `MAIN_DB_URL` / `ARCHIVE_DB_URL`. */
  variable: GivenEndpoint | undefined;
  file: GivenEndpoint | undefined;
  /** Seconds that were demanded by a flag, above any URL. */
  connectTimeoutFlag: number | undefined;
  /** Seconds where nothing in the connection itself says otherwise. */
  connectTimeout: number;
}

const DEFAULT_DATABASE = { source: "Main_DB", target: "Archive_DB" } as const;

/**
 * Resolves one end. Each part is taken from the first that has it: the URL or object; `MAIN_DB_HOST` and its kin; the config file's entry
 * (only where no flag or variable gave a URL); the libpq service; libpq's `PGSSL...` and `PGOPTIONS`; the original's defaults. `PGHOST`,
 * `PGPORT`, `PGUSER` and `PGDATABASE` are not read: they cannot mean two ends, and one of these ends is overwritten.
 */
export async function resolveEndpoint(sources: EndpointSources, surroundings: Surroundings, warn: Warn): Promise<ConnectionConfig> {
  const { side } = sources;
  const variables = endpointVariables(side, surroundings.env);
  const url = sources.flag ?? sources.variable;
  const own = merge(url === undefined ? [variables, read(sources.file)] : [read(url), variables]);
  const libpq = libpqVariables(surroundings.env);
  const named = own.get("service");
  const service =
    named === undefined
      ? await ambientService(side, own.has("host"), surroundings, warn)
      : await findService(named.value, named.origin, surroundings);
  const all = merge([own, service, libpq]);
  const lookup: Lookup = (name) => all.get(name);
  warnUnenforced(all, warn);

  const host = oneHost(lookup("host")) ?? "localhost";
  const port = portOf(lookup("port")) ?? 5432;
  const user = lookup("user")?.value ?? "postgres";
  const database = lookup("dbname")?.value ?? DEFAULT_DATABASE[side];
  const ssl = await resolveTls(lookup, host, surroundings, warn);
  const password = await findConnectionPassword(side, { host, port, user, database }, { own, service, lookup }, surroundings, warn);
  const timeout = lookup("connect_timeout");
  const seconds =
    sources.connectTimeoutFlag ??
    (timeout === undefined ? sources.connectTimeout : parseOption("connectTimeout", timeout.value, timeout.origin, "flag"));
  const keepAliveMs = keepAliveOf(lookup);
  return {
    side,
    host,
    port,
    user,
    database,
    password,
    ssl,
    connectTimeoutMs: seconds * 1000,
    keepAliveMs,
    options: lookup("options")?.value,
  };
}

function read(given: GivenEndpoint | undefined): Parameters {
  if (given === undefined) return new Map();
  const { value, key, locate } = given;
  return typeof value === "string" ? parseConnectionString(value, locate([key])) : parseEndpointObject(value, [key], locate);
}

function merge(layers: readonly Parameters[]): Parameters {
  // later entries of a Map win, so the first layer goes in last
  return new Map(layers.toReversed().flatMap((layer) => [...layer]));
}

function warnUnenforced(parameters: Parameters, warn: Warn): void {
  for (const { origin } of unenforced(parameters)) {
    warn(
      "parameter-not-enforced",
      `${origin.name}: accepted, but pgditto does not enforce it.`,
      "Use sslmode=verify-full to be sure of the server.",
    );
  }
}

function oneHost(given: Given | undefined): string | undefined {
  if (given === undefined) return undefined;
  const { value, origin } = given;
  if (value.includes(","))
    throw refuse(origin, "several hosts are given; pgditto supports one.", "Name the host that has the database to read or write.");
  // not shown: a whole URL with its password may stand here by mistake
  if (/[\s@]|:\/|^[^/]+\//.test(value))
    throw refuse(
      origin,
      "this is not a host name.",
      "Give a host name, an address, or the directory of a Unix socket; a whole URL belongs in MAIN_DB_URL or ARCHIVE_DB_URL.",
    );
  // a URL has brackets around IPv6 addresses, a variable need not
  return value.replace(/^\[(.*)\]$/, "$1");
}

function portOf(given: Given | undefined): number | undefined {
  if (given === undefined) return undefined;
  const { value, origin } = given;
  const port = /^\s*\d{1,5}\s*$/.test(value) ? Number(value) : 0;
  if (port < 1 || port > 65_535)
    throw refuse(
      origin,
      `${shown(value, origin)} is not a port number.`,
      "Give a whole number from 1 to 65535; PostgreSQL's usual port is 5432.",
    );
  return port;
}
