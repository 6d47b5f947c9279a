import { nearest } from "../util/nearest.ts";
import { type Origin, refuse } from "./origin.ts";

/** What becomes of a connection parameter of libpq (manual 34.1.2). */
type Use =
  | "used"
  /** Without effect here and harmless to leave out. */
  | "ignored"
  /** Not done here; any value but the harmless ones is an error, for leaving it out would weaken what was asked for. */
  | { refused: readonly string[] }
  /** Not done here; any value but the harmless ones is a warning, because providers print it into every URL they hand out. */
  | { warned: readonly string[] };

const USES = {
  host: "used",
  port: "used",
  dbname: "used",
  user: "used",
  password: "used",
  passfile: "used",
  connect_timeout: "used",
  options: "used",
  sslmode: "used",
  sslrootcert: "used",
  sslcert: "used",
  sslkey: "used",
  sslpassword: "used",
  sslcrl: "used",
  sslnegotiation: "used",
  service: "used",
  application_name: "ignored",
  fallback_application_name: "ignored",
  client_encoding: "ignored",
  gssdelegation: "ignored",
  gsslib: "ignored",
  keepalives: "used",
  keepalives_count: "ignored",
  keepalives_idle: "used",
  keepalives_interval: "ignored",
  krbsrvname: "ignored",
  load_balance_hosts: "ignored",
  sslcompression: "ignored",
  sslsni: "ignored",
  tcp_user_timeout: "ignored",
  channel_binding: { warned: ["disable", "prefer"] },
  target_session_attrs: { warned: ["any"] },
  gssencmode: { refused: ["disable", "prefer"] },
  hostaddr: { refused: [] },
  replication: { refused: ["false", "off", "no", "0"] },
  require_auth: { refused: [] },
  requirepeer: { refused: [] },
  ssl_max_protocol_version: { refused: ["TLSv1.3"] },
  ssl_min_protocol_version: { refused: ["TLSv1", "TLSv1.1", "TLSv1.2"] },
  sslcertmode: { refused: ["allow"] },
  sslcrldir: { refused: [] },
} as const satisfies Record<string, Use>;

export type ParameterName = keyof typeof USES;

export interface Given {
  value: string;
  origin: Origin;
}

/** The parameters of one end, from one source of them. */
export type Parameters = Map<ParameterName, Given>;

/** The value that counts, of all the sources together. */
export type Lookup = (name: ParameterName) => Given | undefined;

function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(USES, name);
}

/**
 * Puts one parameter in, after deciding whether it can be served. `whole` is the text that it stands in; `named` says that the name may be
 * shown: behind a password it may be a piece of it, cut off by an `&` or a space that should have been encoded.
 */
export function takeParameter(into: Parameters, name: string, given: Given, whole: Origin, named: boolean): void {
  if (!isParameter(name)) throw unknownParameter(name, whole, named);
  // empty means not given, as an empty variable does
  if (given.value === "") return;
  const use: Use = USES[name];
  if (use === "ignored") return;
  if (typeof use === "object" && "refused" in use) {
    if (use.refused.includes(given.value)) return;
    throw refuse(given.origin, "pgditto does not support this parameter.", "Leave it out.");
  }
  into.set(name, given);
}

function unknownParameter(name: string, whole: Origin, named: boolean): Error {
  if (!named) {
    return refuse(
      whole,
      "there is an unknown parameter behind the password.",
      "If it belongs to the password: write & as %26 in a URL, or put the password in single quotes in key=value pairs.",
    );
  }
  const near = nearest(name, Object.keys(USES), 1)[0];
  return refuse(
    whole,
    `${name} is not a connection parameter of libpq.`,
    near === undefined ? "The parameters are those of the PostgreSQL manual, 34.1.2." : `Did you mean ${near}?`,
  );
}

/** The parameters that were accepted although they have no effect, each with its origin. */
export function unenforced(parameters: Parameters): Given[] {
  return [...parameters]
    .filter(([name, given]) => {
      const use: Use = USES[name];
      return typeof use === "object" && "warned" in use && !use.warned.includes(given.value);
    })
    .map(([, given]) => given);
}
