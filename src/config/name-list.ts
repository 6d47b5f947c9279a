import { type Origin, refuse } from "./origin.ts";

/**
 * Cuts `CORE_TABLES` at commas and spaces, but not inside double quotes: `orders, public."Order Items"` is two names. The quotes stay,
 * because pg_dump's patterns need them. Line breaks separate too, for variables that span lines in a script.
 */
export function splitNames(text: string, origin: Origin): string[] {
  const outside = text.replace(/"[^"]*"/g, "");
  if (outside.includes('"')) throw refuse(origin, "a double quote is not closed.", 'Put a whole name in quotes: "Order Items".');
  const names = text.match(/(?:"[^"]*"|[^\s,"])+/g) ?? [];
  if (names.length === 0)
    throw refuse(origin, "there is no name in it.", "Name tables, separated by commas or spaces, or leave it unset to copy all.");
  return [...names];
}
