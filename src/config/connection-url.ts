import { type Origin, partOf, refuse } from "./origin.ts";
import { type ParameterName, type Parameters, takeParameter } from "./parameters.ts";

const ENCODE = "Percent-encode special characters in user, password and database: @ is %40, / is %2F, : is %3A, ? is %3F, % is %25.";

/**
 * Reads `postgresql://user:password@host:port/dbname?name=value&...` as libpq does (manual 34.1.1.2), not as browsers do: `#` is an
 * ordinary character, the host may be empty or a percent-encoded socket directory. Stricter than libpq in one place: a bare `@` or `/`
 * where a password may have spilled over is an error, because libpq would put a piece of the password in host or database, and both are shown.
 */
export function parseConnectionUrl(text: string, origin: Origin): Parameters {
  const found: Parameters = new Map();
  const put = (name: ParameterName, encoded: string): void => {
    if (encoded !== "")
      takeParameter(found, name, { value: decode(encoded, partOf(origin, name)), origin: partOf(origin, name) }, origin, true);
  };
  let rest = text.replace(/^postgres(ql)?:\/\//i, "");

  const userinfo = /^([^@/]*)@/.exec(rest)?.[1];
  if (userinfo !== undefined) {
    rest = rest.slice(userinfo.length + 1);
    const colon = userinfo.indexOf(":");
    put("user", colon < 0 ? userinfo : userinfo.slice(0, colon));
    if (colon >= 0) put("password", userinfo.slice(colon + 1));
  }

  const authority = /^[^/?]*/.exec(rest)?.[0] ?? "";
  rest = rest.slice(authority.length);
  const { host, port } = splitAuthority(authority, origin);
  put("host", host);
  put("port", port);
  // postgresql://u:12/x@host and postgresql://u:a@b/c@host: what libpq calls port, host and path are pieces of the password
  if (rest.includes("@") && (userinfo?.includes(":") || authority.includes(":"))) {
    throw refuse(origin, "there is an @ behind the host that is not percent-encoded.", ENCODE);
  }

  const [path = "", ...queries] = rest.split("?");
  const database = path.slice(1);
  if (/[@/]/.test(database)) throw refuse(origin, "the database name holds an @ or / that is not percent-encoded.", ENCODE);
  put("dbname", database);
  if (queries.length > 0) readQuery(queries.join("?"), origin, found);
  return found;
}

function splitAuthority(authority: string, origin: Origin): { host: string; port: string } {
  if (authority.includes("@")) throw refuse(origin, "there is more than one @ before the host.", ENCODE);
  if (authority.includes(","))
    throw refuse(origin, "several hosts are given; pgditto supports one.", "Name the host that has the database to read or write.");
  let host = authority;
  let port = "";
  if (authority.startsWith("[")) {
    const close = authority.indexOf("]");
    if (close < 0) throw refuse(origin, "the IPv6 address lacks its closing bracket.", "Write postgresql://user@[::1]:5432/database.");
    host = authority.slice(1, close);
    const after = authority.slice(close + 1);
    if (host === "" || (after !== "" && !after.startsWith(":"))) {
      throw refuse(
        origin,
        "the IPv6 address in brackets is empty, or followed by something that is not a port.",
        "Write postgresql://user@[::1]:5432/database.",
      );
    }
    port = after.slice(1);
  } else if (authority.includes(":")) {
    host = authority.slice(0, authority.indexOf(":"));
    port = authority.slice(host.length + 1);
  }
  // what stands where the port belongs may be the start of a password with a "/" in it: say nothing of it
  if (!/^\d*$/.test(port))
    throw refuse(origin, "what follows the host's colon is not a port number.", `${ENCODE} An IPv6 address stands in brackets.`);
  return { host, port };
}

function readQuery(query: string, origin: Origin, found: Parameters): void {
  let behindPassword = false;
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const [rawName = "", rawValue, ...more] = pair.split("=");
    if (rawValue === undefined || more.length > 0) {
      throw refuse(
        origin,
        `a parameter behind the "?" has ${rawValue === undefined ? "no" : "more than one"} "=".`,
        "Write ?name=value&name=value, with = in a value as %3D and & as %26.",
      );
    }
    let name = decode(rawName, origin);
    let value = decode(rawValue, partOf(origin, behindPassword ? "a parameter" : name));
    // JDBC's spelling, which libpq takes too
    if (name === "ssl" && value === "true") {
      name = "sslmode";
      value = "require";
    }
    takeParameter(found, name, { value, origin: partOf(origin, name) }, origin, !behindPassword);
    if (name === "password" || name === "sslpassword") behindPassword = true;
  }
}

function decode(text: string, origin: Origin): string {
  if (/%(?![0-9a-f]{2})|%00/i.test(text)) throw refuse(origin, "a % is not followed by two hexadecimal digits of a character.", ENCODE);
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse(origin, "the percent-encoded bytes are not UTF-8.", ENCODE);
  }
}
