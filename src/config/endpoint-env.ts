import type { Side } from "../errors.ts";
import type { ParameterName, Parameters } from "./parameters.ts";
import { envValue, type Surroundings } from "./surroundings.ts";

/** The prefix of the original script's variables: the source is MAIN, the target ARCHIVE. */
export const ENV_PREFIX = { source: "MAIN_DB_", target: "ARCHIVE_DB_" } as const;

const SUFFIXES: ReadonlyArray<readonly [string, ParameterName]> = [
  ["HOST", "host"],
  ["PORT", "port"],
  ["USER", "user"],
  ["PASSWORD", "password"],
  ["NAME", "dbname"],
];

/** libpq's variables (manual 34.15) that hold for both ends. */
const LIBPQ: ReadonlyArray<readonly [string, ParameterName]> = [
  ["PGSSLMODE", "sslmode"],
  ["PGSSLROOTCERT", "sslrootcert"],
  ["PGSSLCERT", "sslcert"],
  ["PGSSLKEY", "sslkey"],
  ["PGSSLCRL", "sslcrl"],
  ["PGSSLNEGOTIATION", "sslnegotiation"],
  ["PGOPTIONS", "options"],
  ["PGPASSFILE", "passfile"],
];

/** `MAIN_DB_HOST`, `_PORT`, `_USER`, `_PASSWORD`, `_NAME`, or the same of `ARCHIVE_DB_`. */
export function endpointVariables(side: Side, env: Surroundings["env"]): Parameters {
  return fromEnv(
    SUFFIXES.map(([suffix, name]) => [ENV_PREFIX[side] + suffix, name] as const),
    env,
  );
}

/** What libpq's own variables say, apart from host, port, user, database, service, timeout and password. */
export function libpqVariables(env: Surroundings["env"]): Parameters {
  return fromEnv(LIBPQ, env);
}

function fromEnv(names: ReadonlyArray<readonly [string, ParameterName]>, env: Surroundings["env"]): Parameters {
  const found: Parameters = new Map();
  for (const [variable, parameter] of names) {
    const value = envValue(env, variable);
    if (value !== undefined) found.set(parameter, { value, origin: { code: "usage", name: variable } });
  }
  return found;
}
