import { nearest } from "../util/nearest.ts";
import { ENDPOINT_KEYS } from "./endpoint-options.ts";
import { type Origin, refuse } from "./origin.ts";
import { type Parameters, takeParameter } from "./parameters.ts";

/** Names the place of a key inside an object, for messages. */
export type Locate = (path: readonly string[]) => Origin;

type EndpointKey = keyof typeof ENDPOINT_KEYS;

function isEndpointKey(key: string): key is EndpointKey {
  return Object.hasOwn(ENDPOINT_KEYS, key);
}

/** Checks an end that was given as an object. Values are never shown: one of them is the password. */
export function parseEndpointObject(value: object, path: readonly string[], locate: Locate): Parameters {
  const found: Parameters = new Map();
  for (const [key, part] of Object.entries(value) as Array<[string, unknown]>) {
    const origin = locate([...path, key]);
    if (!isEndpointKey(key)) {
      const near = key === "dbname" ? "database" : nearest(key, Object.keys(ENDPOINT_KEYS), 1)[0];
      throw refuse(
        origin,
        `${key} is not a part of a connection.`,
        near === undefined ? `The parts are ${Object.keys(ENDPOINT_KEYS).join(", ")}.` : `Did you mean ${near}?`,
      );
    }
    if (part === undefined) continue;
    const { type } = ENDPOINT_KEYS[key];
    const right = type === "integer" ? Number.isInteger(part) : typeof part === "string";
    if (!right || (typeof part !== "string" && typeof part !== "number")) {
      throw refuse(
        origin,
        `the value is ${kindOf(part)}, not ${type === "integer" ? "a whole number" : "a string"}.`,
        type === "integer" ? "Write it without quotes, as in 5432." : "Write it in quotes.",
      );
    }
    const text = String(part);
    if (text.includes("\0")) throw refuse(origin, "the value holds a NUL character.", "Leave it out.");
    takeParameter(found, key === "database" ? "dbname" : key, { value: text, origin }, origin, true);
  }
  return found;
}

/** `a number`, `a list` …: says what was found without showing it. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" && !Number.isInteger(value)) return "a fraction";
  return { object: "an object", undefined: "undefined", function: "a function" }[typeof value as string] ?? `a ${typeof value}`;
}
