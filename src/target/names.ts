import { randomBytes } from "node:crypto";

/** What lies between the target's name and the run's id in the name of a database that a run made. */
const STAGING_MARK = "__pgditto_";
/** Bytes that PostgreSQL keeps of a name (NAMEDATALEN - 1). */
const MAX_NAME_BYTES = 63;
const RUN_ID = /^[0-9a-z]{10}$/;

/** Ten characters: seconds since 1970 in base 36, then four random ones. Sorts by time. */
export function newRunId(now: number): string {
  const seconds = Math.floor(now / 1000)
    .toString(36)
    .padStart(6, "0")
    .slice(-6);
  const random = [...randomBytes(4)].map((byte) => (byte % 36).toString(36)).join("");
  return `${seconds}${random}`;
}

export function stagingName(target: string, run: string): string {
  return fitName(target, `${STAGING_MARK}${run}`);
}

/** The old database between the swap and its removal. */
export function retiredName(target: string, run: string): string {
  return fitName(target, `${STAGING_MARK}old_${run}`);
}

export function previousName(target: string): string {
  return fitName(target, "_previous");
}

/** The run's id when the name is one that a run made for this target. */
export function runOfName(name: string, target: string): string | undefined {
  const at = name.lastIndexOf(STAGING_MARK);
  if (at === -1) return undefined;
  const run = name.slice(at + STAGING_MARK.length).replace(/^old_/, "");
  if (!RUN_ID.test(run)) return undefined;
  return name === stagingName(target, run) || name === retiredName(target, run) ? run : undefined;
}

/** Cut at a character's border, so that the suffix fits. */
function fitName(name: string, suffix: string): string {
  const room = MAX_NAME_BYTES - Buffer.byteLength(suffix);
  let kept = "";
  for (const character of name) {
    if (Buffer.byteLength(kept + character) > room) break;
    kept += character;
  }
  return kept + suffix;
}
