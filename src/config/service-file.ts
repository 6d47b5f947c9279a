import { join } from "node:path";

import type { Side } from "../errors.ts";
import { type Origin, refuse } from "./origin.ts";
import { type Parameters, takeParameter } from "./parameters.ts";
import { factsOf, readText } from "./read-file.ts";
import { absolute, envValue, libpqFiles, type Surroundings } from "./surroundings.ts";
import type { Warn } from "./warning.ts";

/** The parameters that say where a database is. */
const PLACE = ["host", "port", "dbname"] as const;

/** The parameters of one `[section]` of a service file, as libpq reads it (manual 34.17); undefined when the section is not there. */
export function parseService(text: string, service: string, path: string): Parameters | undefined {
  let found: Parameters | undefined;
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      // only the first section of the name counts
      if (found !== undefined) return found;
      if (line.startsWith(`[${service}]`)) found = new Map();
      continue;
    }
    if (found === undefined) continue;
    const place: Origin = { code: "config", name: `${path}:${i + 1}` };
    if (line.startsWith("ldap")) throw refuse(place, "services from LDAP are not supported.", "Write the parameters themselves.");
    const equals = line.indexOf("=");
    if (equals < 0) throw refuse(place, 'this line has no "=".', "Write name=value.");
    const name = line.slice(0, equals);
    if (name !== name.trim()) throw refuse(place, 'there is a space before "=".', "Write name=value without spaces, as libpq demands.");
    if (name === "service") throw refuse(place, "a service may not refer to another service.", "Write the parameters themselves.");
    takeFirst(found, name, line.slice(equals + 1), place);
  }
  return found;
}

function takeFirst(found: Parameters, name: string, value: string, place: Origin): void {
  const one: Parameters = new Map();
  takeParameter(one, name, { value, origin: { code: "config", name: `${place.name}: ${name}` } }, place, true);
  for (const [key, given] of one) if (!found.has(key)) found.set(key, given);
}

/**
 * Looks a service up: the user's file, then `pg_service.conf` in `PGSYSCONFDIR`; without that variable, where Debian has it.
 * @throws PgdittoError `usage` or `config` (by where the name came from) when no file has it, naming the files.
 */
export async function findService(service: string, origin: Origin, surroundings: Surroundings): Promise<Parameters> {
  const { env } = surroundings;
  const own = envValue(env, "PGSERVICEFILE");
  const system = envValue(env, "PGSYSCONFDIR") ?? (surroundings.platform === "linux" ? "/etc/postgresql-common" : undefined);
  const files = [own === undefined ? libpqFiles(surroundings).servicefile : absolute(own, surroundings)];
  if (system !== undefined) files.push(join(absolute(system, surroundings), "pg_service.conf"));
  for (const path of files) {
    // a missing file is passed over, as libpq does
    if ((await factsOf(path)) === undefined) continue;
    const found = parseService(await readText(path, "service file", "config"), service, path);
    if (found !== undefined) return found;
  }
  // a malformed connection string may have carried more than a name here
  const name = /^[\w .:-]{1,63}$/.test(service) ? ` ${JSON.stringify(service)}` : " of this name";
  throw refuse(
    origin,
    `there is no service${name} in ${files.join(" or ")}.`,
    "Add a section of that name to one of them, or correct PGSERVICE, PGSERVICEFILE or PGSYSCONFDIR.",
  );
}

/**
 * What `PGSERVICE` says for one end. It holds for both, and one of them is overwritten: so the target takes user, password and TLS from it, but
 * never the place. A target is named by something that means the target.
 */
export async function ambientService(side: Side, hostGiven: boolean, surroundings: Surroundings, warn: Warn): Promise<Parameters> {
  const service = envValue(surroundings.env, "PGSERVICE");
  if (service === undefined) return new Map();
  const found = await findService(service, { code: "usage", name: "PGSERVICE" }, surroundings);
  if (side === "source") return found;
  const place = PLACE.filter((name) => found.delete(name));
  if (place.includes("host") && !hostGiven) {
    const message = "PGSERVICE names a host, which is not used for the target.";
    warn("service-not-for-target", message, "Set ARCHIVE_DB_HOST, or give the target as postgresql:///?service=NAME.");
  }
  return found;
}
