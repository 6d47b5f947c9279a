import { createInterface } from "node:readline/promises";
import { isatty } from "node:tty";

import type { ReplaceQuestion, SyncEvent } from "../index.ts";
import { formatBytes, plural } from "../util/format.ts";
import { throwIfAborted } from "../util/wait.ts";
import { type LiveRegion, liveRegion } from "./live-region.ts";

/** Colours where the stream is a terminal, unless NO_COLOR says otherwise (no-color.org); FORCE_COLOR wins over both. */
export function wantsColours(stream: { fd: number } = process.stdout): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return isatty(stream.fd) && (NO_COLOR === undefined || NO_COLOR === "") && TERM !== "dumb";
}

/** True when somebody can answer a question. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** The lines under the log, where there are any: whatever is printed meanwhile has to go above them. */
let region: LiveRegion | undefined;

/** Shows lines under the log until it is disposed of. @param frame What they are at the moment it is called, for a terminal of this size. */
export function showRegion(frame: Parameters<typeof liveRegion>[1]): Pick<LiveRegion, "touch"> & Disposable {
  const { XTERM_VERSION, TMUX } = process.env;
  const shown = liveRegion(
    {
      write: (text) => void process.stdout.write(text),
      // serial lines and some containers say 0, which is nobody's size
      size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
      reflows: XTERM_VERSION === undefined || TMUX !== undefined,
    },
    frame,
  );
  region = shown;
  process.stdout.on("resize", shown.touch);
  process.on("SIGCONT", shown.forget);
  return {
    touch: shown.touch,
    [Symbol.dispose]: () => {
      process.stdout.off("resize", shown.touch);
      process.off("SIGCONT", shown.forget);
      shown[Symbol.dispose]();
      region = undefined;
    },
  };
}

/** For a process that is about to end on the spot: all that was printed is on the terminal. */
export function flushOutput(): void {
  region?.pause();
}

export function printOut(line: string): void {
  if (region) region.log(line);
  else process.stdout.write(`${line}\n`);
}

export function printError(line: string): void {
  const above = isatty(process.stderr.fd) ? region : undefined;
  above?.pause();
  process.stderr.write(`${line}\n`);
  above?.resume();
}

/** For commands whose output is not the run's events: warnings go to standard error, so that `--json` stays clean. */
export function printWarnings(event: SyncEvent): void {
  if (event.type !== "message") return;
  printError(`${event.level === "warning" ? "Warning" : "Note"}: ${event.message}${event.hint === undefined ? "" : ` ${event.hint}`}`);
}

/** The name has to be typed in full: a "y" is typed too easily at 02:00. */
export async function askForName(question: ReplaceQuestion, signal: AbortSignal): Promise<boolean> {
  printOut("");
  printOut(`The target ${question.target} exists (${formatBytes(question.bytes)}, owner ${question.owner}) and was not made by pgditto.`);
  if (question.tables !== undefined)
    printOut(`The rows of ${plural(question.tables, "table")} in it will be replaced; everything else stays.`);
  else printOut("It will be replaced once the copy is complete and verified; until then it stays as it is.");
  return (await ask(`Type the database's name (${question.database}) to go on: `, signal)) === question.database;
}

export async function ask(question: string, signal: AbortSignal): Promise<string> {
  region?.pause();
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // readline takes Ctrl+C for itself and would only give the question up
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return await lines.question(question, { signal });
  } catch {
    throwIfAborted(signal); // Ctrl+C is no answer
    return ""; // closed: no answer is a no
  } finally {
    lines.close();
    region?.resume();
  }
}
