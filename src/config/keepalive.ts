import { refuse, shown } from "./origin.ts";
import type { Given, Lookup } from "./parameters.ts";

/** Seconds; a day and more is no watching. */
const MOST = 86_400;

/**
 * libpq's `keepalives` and `keepalives_idle`: milliseconds of silence before the system asks whether the other end is there, 0 for its own
 * default, false for never. Undefined: nothing was said. Interval and count cannot be set from here: Node's are 1 s and 10.
 */
export function keepAliveOf(lookup: Lookup): number | false | undefined {
  const wanted = wholeNumber(lookup("keepalives"));
  const idle = wholeNumber(lookup("keepalives_idle"));
  if (wanted === 0) return false;
  return idle === undefined ? undefined : idle * 1000;
}

function wholeNumber(given: Given | undefined): number | undefined {
  if (given === undefined) return undefined;
  const { value, origin } = given;
  const n = /^\s*\d{1,6}\s*$/.test(value) ? Number(value) : Number.NaN;
  if (n <= MOST) return n;
  throw refuse(
    origin,
    `${shown(value, origin)} is not a whole number from 0 to ${MOST}.`,
    "keepalives is 0 or 1, keepalives_idle seconds.",
  );
}
