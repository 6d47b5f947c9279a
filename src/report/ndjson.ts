import type { SyncEvent } from "../events.ts";

/** One event a line; the first carries the format's version, the last is the result. */
export function ndjsonReporter(out: (line: string) => void): (event: SyncEvent) => void {
  return (event) => out(JSON.stringify(event));
}
