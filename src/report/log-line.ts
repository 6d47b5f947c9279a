import { type Colour, type Paint, printable } from "./style.ts";

const STATES: Readonly<Record<string, Colour>> = {
  STARTED: "yellow",
  DONE: "green",
  FAILED: "red",
  RETRY: "magenta",
  WARNING: "magenta",
  INFO: "cyan",
  PROGRESS: "cyan",
};

/** Where and how lines are written. */
export interface LogStyle {
  paint: Paint;
  /** `HH:MM:SS` of an event's time, in the reader's time zone. */
  clock: (time: string) => string;
}

/** A line of the log: time, what it is about, its state, name and details, each in its column. */
export function logLine({ paint, clock }: LogStyle, time: string, label: string, state: string, name: string, detail: string): string {
  return `[${clock(time)}] [${label.padEnd(6)}] [${paint(STATES[state] ?? "bold", state.padEnd(9))}] ${shownName(name).padEnd(35)} | ${printable(detail)}`;
}

/** As people read it: nothing that moves the cursor, and without the schema that everybody has. */
export function shownName(name: string): string {
  return printable(name).replace(/^public\./, "");
}
