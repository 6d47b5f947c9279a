import { stripVTControlCharacters } from "node:util";

import { textWidth } from "../util/text-width.ts";

/** Redrawn at most this often, in milliseconds, and, for its clocks, at least this often. */
const REDRAW_MS = 100;
const TICK_MS = 1000;
const MOMENT_MS = 10;

/** A terminal, as far as the region needs it. */
export interface RegionTerminal {
  write: (text: string) => void;
  size: () => { columns: number; rows: number };
  /** Whether lines that have become too long are broken when the window becomes narrower, as most terminals do and xterm does not. */
  reflows: boolean;
}

/** Some lines under the log that are drawn again and again. */
export interface LiveRegion extends Disposable {
  /** A line of the log: goes above, with the next drawing. */
  log: (line: string) => void;
  /** Something has changed. */
  touch: () => void;
  /** Takes the region off the screen, with all of the log on it, until `resume`. */
  pause: () => void;
  resume: () => void;
  /** Whatever is on the screen now is not ours any more: draw below it. */
  forget: () => void;
}

// `CSI ?` modes: the cursor is not seen while it moves, and a line that is too wide after all does not go on in the next
const BEGIN = "\u001B[?25l\u001B[?7l";
const END = "\u001B[?7h\u001B[?25h";
const ERASE_BELOW = "\u001B[J";
const ERASE_REST = "\u001B[K";

/**
 * Draws lines under the log, each time in a single write which leaves the cursor visible, at the beginning of the line below them, with every mode
 * as it was: so there is nothing to restore, however the process ends. @param frame The lines, none of them wider than the terminal.
 */
export function liveRegion(terminal: RegionTerminal, frame: (size: { columns: number; rows: number }) => readonly string[]): LiveRegion {
  let drawn: readonly string[] = [];
  let waiting: string[] = [];
  let last = 0;
  let soon: NodeJS.Timeout | undefined;
  let tick: NodeJS.Timeout | undefined;
  /** Several may want it off the screen: a question, and an error while it is asked. */
  let pauses = 0;

  /** To the region's first line, even where the window has become narrower since. Without a region whatever is on the line stays. */
  const toTop = (columns: number): string => {
    if (drawn.length === 0) return "";
    const height = (text: string): number => (terminal.reflows ? Math.max(1, Math.ceil(textWidth(text) / Math.max(1, columns))) : 1);
    const up = drawn.reduce((sum, text) => sum + height(stripVTControlCharacters(text)), 0);
    return `\r\u001B[${up}A`;
  };
  const draw = (lines: (size: { columns: number; rows: number }) => readonly string[]): void => {
    last = performance.now();
    const size = terminal.size();
    const next = lines(size);
    if (drawn.length === 0 && next.length === 0 && waiting.length === 0) return;
    // log lines may be as wide as they like
    const log =
      waiting.length === 0
        ? ""
        : `${drawn.length > 0 ? ERASE_BELOW : ""}\u001B[?7h${waiting.map((text) => `${text}\n`).join("")}\u001B[?7l`;
    const region = next.map((text) => `${text}${ERASE_REST}\n`).join("");
    terminal.write(`${BEGIN}${toTop(size.columns)}${log}${region}${ERASE_BELOW}${END}`);
    waiting = [];
    drawn = next;
  };
  const stop = (): void => {
    clearTimeout(soon);
    clearTimeout(tick);
    soon = undefined;
  };
  const redraw = (): void => {
    stop();
    draw(frame);
    // whatever stands still has a clock that goes on, and is worth a line after a while
    tick = setTimeout(redraw, TICK_MS).unref();
  };
  const touch = (): void => {
    if (pauses > 0) return;
    // a moment at least, so that what comes together is drawn together
    soon ??= setTimeout(redraw, Math.max(MOMENT_MS, last + REDRAW_MS - performance.now()));
  };
  const pause = (): void => {
    pauses += 1;
    if (pauses > 1) return;
    stop();
    draw(() => []);
  };
  return {
    log: (text) => {
      if (pauses > 0) return terminal.write(`${text}\n`);
      waiting.push(text);
      touch();
    },
    touch,
    pause,
    resume: () => {
      pauses -= 1;
      touch();
    },
    forget: () => {
      drawn = [];
      touch();
    },
    [Symbol.dispose]: pause,
  };
}
