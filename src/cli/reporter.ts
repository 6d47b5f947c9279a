import type { SyncEvent } from "../index.ts";
import { humanReporter } from "../report/human.ts";
import { ndjsonReporter } from "../report/ndjson.ts";
import { printError, printOut, wantsColours } from "./terminal.ts";

/** The reporter that the flags ask for, writing to this process's output. */
export function chooseReporter(json: boolean): (event: SyncEvent) => void {
  if (json) return ndjsonReporter(printOut);
  return humanReporter({
    out: printOut,
    err: printError,
    colours: wantsColours(),
    errColours: wantsColours(process.stderr),
    clock: (time) => new Date(time).toTimeString().slice(0, 8),
  });
}
