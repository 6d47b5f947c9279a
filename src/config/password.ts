import type { Side } from "../errors.ts";
import { ENV_PREFIX } from "./endpoint-env.ts";
import type { Lookup, Parameters } from "./parameters.ts";
import { type PasswordKey, passwordFromFile } from "./pgpass.ts";
import { absolute, envValue, libpqFiles, type Surroundings } from "./surroundings.ts";
import type { Warn } from "./warning.ts";

/** What the original script documents as the default password of both ends. */
const DEFAULT_PASSWORD = "0206";

export interface PasswordSources {
  /** URL, object, `MAIN_DB_PASSWORD`, config file. */
  own: Parameters;
  service: Parameters;
  lookup: Lookup;
}

/**
 * The password: the connection's own; the password file; the service; `PGPASSWORD`; the original's default, with a warning. Unlike in
 * libpq the file stands before `PGPASSWORD`, because one variable cannot hold the passwords of two servers.
 */
export async function findConnectionPassword(
  side: Side,
  key: PasswordKey,
  sources: PasswordSources,
  surroundings: Surroundings,
  warn: Warn,
): Promise<string> {
  const own = sources.own.get("password")?.value;
  if (own !== undefined) return own;
  const named = sources.lookup("passfile");
  const path = named === undefined ? libpqFiles(surroundings).passfile : absolute(named.value, surroundings);
  const filed = await passwordFromFile(path, named !== undefined, key, surroundings.platform, warn);
  const found = filed ?? sources.service.get("password")?.value ?? envValue(surroundings.env, "PGPASSWORD");
  if (found !== undefined) return found;
  const message = `No password for the ${side} was found; the documented default password of the original script is used.`;
  warn(
    "default-password",
    message,
    `Set ${ENV_PREFIX[side]}PASSWORD, or add a line to ${path}: ${key.host}:${key.port}:${key.database}:${key.user}:password`,
  );
  return DEFAULT_PASSWORD;
}
