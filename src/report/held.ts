import type { SyncEvent } from "../events.ts";
import { formatCount, formatDuration } from "../util/format.ts";

type Held = Extract<SyncEvent, { type: "source:held" }>;

/** From here on the log tells of it each time; below, only the summary does. */
const WORTH_A_LINE = 600;

export function isLong({ seconds }: Held): boolean {
  return seconds >= WORTH_A_LINE;
}

/** `12m 05s, about 1,234 transactions`. */
export function heldFor({ seconds, transactions }: Held): string {
  const meanwhile = transactions === undefined || transactions === 0 ? "" : `, about ${formatCount(transactions)} transactions`;
  return `${formatDuration(seconds * 1000)}${meanwhile}`;
}
