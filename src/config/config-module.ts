import { pathToFileURL } from "node:url";

import { PgdittoError } from "../errors.ts";
import { kindOf } from "./endpoint-object.ts";

/** The default export of an `.mjs` config file, which must be an object. */
export async function loadModule(path: string, name: string): Promise<object> {
  const url = pathToFileURL(path).href;
  let loaded: unknown;
  try {
    loaded = await import(url);
  } catch (error) {
    throw new PgdittoError(
      "config",
      `${name}${lineOf(error, url)}: the file cannot be loaded (${error instanceof Error ? error.name : "it threw something that is no Error"}).`,
      {
        object: name,
        // neither message nor cause: both quote the file ("hunter2 is not defined" is what forgotten quotes give)
        hint: `Run \`node ${name}\` to see what Node.js says about it.`,
      },
    );
  }
  const value: unknown = typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : undefined;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  const reason = value === undefined ? "there is no default export" : `the default export is ${kindOf(value)}, not an object`;
  throw new PgdittoError("config", `${name}: ${reason}.`, { object: name, hint: "Write: export default { source: ..., target: ... };" });
}

/** `:line` where the error says it of this file. */
function lineOf(error: unknown, url: string): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const at = stack.indexOf(`${url}:`);
  return at < 0 ? "" : (/^:\d+/.exec(stack.slice(at + url.length))?.[0] ?? "");
}
