import { parseConnectionUrl } from "./connection-url.ts";
import { type Origin, partOf, refuse } from "./origin.ts";
import { type Parameters, takeParameter } from "./parameters.ts";

const FORMS = "Write postgresql://user:password@host:5432/database, or host=... dbname=... as for psql.";

/** Reads a connection string in either of libpq's two forms. No error it throws holds any value of the string. */
export function parseConnectionString(given: string, origin: Origin): Parameters {
  const text = given.trim();
  if (text === "") throw refuse(origin, "the connection string is empty.", FORMS);
  if (text.includes("\0")) throw refuse(origin, "the connection string holds a NUL character.", FORMS);
  if (/^postgres(ql)?:\/\//i.test(text)) return parseConnectionUrl(text, origin);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined) throw refuse(origin, `the URL begins with ${scheme}://, not postgresql://.`, FORMS);
  if (!/^[a-z_]+\s*=/i.test(text)) throw refuse(origin, "this is neither a postgresql:// URL nor key=value pairs.", FORMS);
  return parsePairs(text, origin);
}

/** `key = value` pairs, values in single quotes where they hold spaces, `\` before `'` and `\` (manual 34.1.1.1). */
function parsePairs(text: string, origin: Origin): Parameters {
  const found: Parameters = new Map();
  const pair = /\s*([^\s=]*)\s*(=?)\s*(?:'((?:[^'\\]|\\.)*)('?)|((?:[^\s\\]|\\.)*))/suy;
  let behindPassword = false;
  while (text.slice(pair.lastIndex).trim() !== "") {
    const [, name = "", equals = "", quoted, closing, bare = ""] = pair.exec(text) ?? [];
    if (equals === "" || name === "")
      throw refuse(origin, 'a word is not followed by "=".', "Put values that hold spaces in single quotes: password='two words'.");
    if (quoted !== undefined && closing === "")
      throw refuse(origin, "a single quote is not closed.", "Write \\' for a quote inside a quoted value.");
    const value = (quoted ?? bare).replace(/\\(.)/gsu, "$1");
    takeParameter(found, name, { value, origin: partOf(origin, name) }, origin, !behindPassword);
    if (name === "password" || name === "sslpassword") behindPassword = true;
  }
  return found;
}
