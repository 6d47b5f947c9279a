import { kindOf } from "./endpoint-object.ts";
import { type Origin, refuse } from "./origin.ts";

/** `left=right`; what stands on the right may hold further `=`. Undefined without any. */
export function splitPair(text: string): [left: string, right: string] | undefined {
  const at = text.indexOf("=");
  return at === -1 ? undefined : [text.slice(0, at).trim(), text.slice(at + 1)];
}

/** No value is shown: what is set may be a secret. @throws PgdittoError */
export function checkPairs(spec: { placeholder: string; keys?: readonly string[] }, value: unknown, origin: Origin): void {
  if (!Array.isArray(value)) throw refuse(origin, `the value is ${kindOf(value)}, not a list.`, `Write a list of "${spec.placeholder}".`);
  for (const [i, entry] of (value as unknown[]).entries())
    checkPair(spec, entry, value.length === 1 ? origin : { ...origin, name: `${origin.name}, entry ${i + 1}` });
}

function checkPair({ placeholder, keys }: { placeholder: string; keys?: readonly string[] }, entry: unknown, origin: Origin): void {
  const hint = `Write ${placeholder}${keys ? `, with one of ${keys.join(", ")} before the =` : ""}.`;
  if (typeof entry !== "string") throw refuse(origin, `the value is ${kindOf(entry)}, not a string.`, hint);
  const pair = splitPair(entry);
  if (!pair) throw refuse(origin, "there is no = in it.", hint);
  if (entry.includes("\0")) throw refuse(origin, "the value holds a NUL character.", "Leave it out.");
  const [left, right] = pair;
  if (keys && !keys.includes(left)) throw refuse(origin, `${JSON.stringify(left)} is not one of ${keys.join(", ")}.`, hint);
  if (keys && right.trim() === "") throw refuse(origin, "nothing stands behind the =.", hint);
  if (!keys && !/^[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*$/.test(left))
    throw refuse(origin, "what stands before the = is no name.", "A name has letters, digits and underscores, and begins with no digit.");
}
