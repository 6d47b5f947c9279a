import type { SyncEvent } from "../index.ts";
import { humanReporter } from "../report/human.ts";
import { ndjsonReporter } from "../report/ndjson.ts";
import { painter } from "../report/style.ts";
import type { ProgressDisplay } from "./progress.ts";
import { printError, printOut, wantsColours } from "./terminal.ts";

/** The reporter that the flags ask for, writing to this process's output. @param progress Told of every event too. */
export function chooseReporter(json: boolean, progress?: ProgressDisplay): (event: SyncEvent) => void {
  if (json) return ndjsonReporter(printOut);
  const clock = (time: string): string => new Date(time).toTimeString().slice(0, 8);
  const colours = wantsColours();
  const human = humanReporter({ out: printOut, err: printError, colours, errColours: wantsColours(process.stderr), clock });
  const style = { paint: painter(colours), clock };
  return (event) => {
    progress?.report?.(event, style);
    human(event);
  };
}
