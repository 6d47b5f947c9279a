import { nearest } from "../util/nearest.ts";
import { kindOf } from "./endpoint-object.ts";
import { splitNames } from "./name-list.ts";
import type { OptionSpec } from "./option-spec.ts";
import { type OptionKey, specOf } from "./options.ts";
import { type Origin, refuse, shown } from "./origin.ts";
import { checkPairs } from "./pairs.ts";
import type { CliFlags } from "./pgditto-options.ts";
import { parseSize } from "./size.ts";

/** The value of an option, as the table's type has it. */
export type ValueOf<K extends OptionKey> = Exclude<CliFlags[K], undefined>;

/** Reads one value of a flag or variable. A flag's text is one name of a list; a variable's is the whole list. */
export function parseOption<K extends OptionKey>(key: K, text: string, origin: Origin, from: "flag" | "environment"): ValueOf<K> {
  return checkOption(key, fromText(specOf(key), text, origin, from), origin);
}

function fromText(spec: OptionSpec, text: string, origin: Origin, from: "flag" | "environment"): unknown {
  if (spec.type === "integer" || spec.type === "count") {
    // decimal digits only: Number() would also take 0x10, 1e3 and the empty string
    if (!/^-?\d+$/.test(text.trim())) throw refuse(origin, `${shown(text, origin)} is not a whole number.`, rangeHint(spec, origin));
    return Number(text);
  }
  if (spec.type === "names") return from === "flag" ? [text] : splitNames(text, origin);
  if (spec.type === "pairs") return [text];
  if (spec.type === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw refuse(origin, `${shown(text, origin)} is neither true nor false.`, "Give the flag alone, or =true, or =false.");
  }
  return text;
}

/** Checks a value of a config file, a caller, or one that was read from text. `source` and `target` are looked into later. */
export function checkOption<K extends OptionKey>(key: K, value: unknown, origin: Origin): ValueOf<K> {
  const spec = specOf(key);
  switch (spec.type) {
    case "endpoint":
      if (typeof value !== "string" && (typeof value !== "object" || value === null || Array.isArray(value))) {
        throw refuse(
          origin,
          `the value is ${kindOf(value)}, not a connection.`,
          "Give a postgresql:// URL or an object with host, port, user, database.",
        );
      }
      break;
    case "integer":
    case "count":
      checkInteger(spec, value, origin);
      break;
    case "choice":
      if (typeof value !== "string" || !spec.choices.includes(value)) {
        const near = typeof value === "string" ? nearest(value, spec.choices, 1)[0] : undefined;
        throw refuse(
          origin,
          `${shown(value, origin)} is not one of ${spec.choices.join(", ")}.`,
          near === undefined
            ? `Choose ${spec.choices.join(" or ")}; the default is ${"default" in spec ? spec.default : spec.fallback}.`
            : `Did you mean ${near}?`,
        );
      }
      break;
    case "text":
      checkText(value, origin);
      break;
    case "size":
      checkSize(value, origin);
      break;
    case "names":
      if (!Array.isArray(value))
        throw refuse(origin, `the value is ${kindOf(value)}, not a list.`, 'Write a list, as in ["public.orders"].');
      for (const name of value as unknown[]) checkText(name, origin);
      break;
    case "pairs":
      checkPairs(spec, value, origin);
      break;
    case "boolean":
      if (typeof value !== "boolean")
        throw refuse(origin, `the value is ${kindOf(value)}, not true or false.`, "Write true or false, without quotes.");
      break;
    default:
      spec satisfies never;
  }
  // the switch has looked at it; the table and PgdittoOptions are held equal by options.test.ts
  return value as ValueOf<K>;
}

type WholeNumber = OptionSpec & { type: "integer" | "count" };

function checkInteger(spec: WholeNumber, value: unknown, origin: Origin): void {
  if (typeof value !== "number" || !Number.isInteger(value))
    throw refuse(origin, `${shown(value, origin)} is not a whole number.`, rangeHint(spec, origin));
  if (value < spec.min) throw refuse(origin, `${shown(value, origin)} is less than ${spec.min}.`, rangeHint(spec, origin));
  if (value > spec.max) throw refuse(origin, `${shown(value, origin)} is more than ${spec.max}.`, rangeHint(spec, origin));
}

function checkSize(value: unknown, origin: Origin): void {
  if (typeof value === "string" && parseSize(value) !== undefined) return;
  const said = typeof value === "string" || typeof value === "number" ? shown(value, origin) : `the value (${kindOf(value)})`;
  throw refuse(origin, `${said} is not a size.`, "Give a number with its unit, in PostgreSQL's units of 1024: 500kB, 50MB, 1.5GB, 2TB.");
}

function checkText(value: unknown, origin: Origin): void {
  if (typeof value !== "string") throw refuse(origin, `the value is ${kindOf(value)}, not a string.`, "Write it in quotes.");
  if (value.trim() === "") throw refuse(origin, "the value is empty.", "Give a value, or leave it out.");
  if (value.includes("\0")) throw refuse(origin, "the value holds a NUL character.", "Leave it out.");
}

function rangeHint(spec: WholeNumber, origin: Origin): string {
  const quotes = origin.code === "config" ? ", without quotes" : "";
  return `Give a whole number from ${spec.min} to ${spec.max}${quotes}.${"default" in spec ? ` The default is ${spec.default}.` : ""}`;
}
