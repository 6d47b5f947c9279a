import { refuse } from "../config/origin.ts";
import type { CliFlags } from "../config/pgditto-options.ts";
import type { SyncEvent } from "../index.ts";
import type { LogStyle } from "../report/log-line.ts";
import { progressLines } from "../report/progress-lines.ts";
import { progressText } from "../report/progress-text.ts";
import { trackProgress } from "../report/progress.ts";
import { printOut, showRegion } from "./terminal.ts";

/** Milliseconds between two lines of `--progress plain`. */
const PLAIN_MS = 10_000;

/** How somebody is told how far a run is, while it runs. */
export interface ProgressDisplay extends Disposable {
  /** Undefined: nobody is told. */
  report: ((event: SyncEvent, style: LogStyle) => void) | undefined;
}

/** What the output is, as far as it matters here. */
export interface OutputFacts {
  json: boolean;
  /** Standard output is a terminal. */
  terminal: boolean;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * A terminal gets bars. Without one nobody may be watching: a log file or cron's mail would be flooded with lines that are old when they are read, so that
 * they come when they are asked for. One that can move no cursor, and CI's, has somebody in front of it who wonders.
 * @throws PgdittoError `usage` where the output cannot have what was asked for.
 */
export function chooseProgress(asked: CliFlags["progress"], { json, terminal, env }: OutputFacts): "tty" | "plain" | "none" {
  const { TERM, CI } = env;
  const dumb = TERM === "dumb";
  const origin = { code: "usage", name: "--progress" } as const;
  if (json && (asked === "tty" || asked === "plain"))
    throw refuse(
      origin,
      `${asked} and --json contradict each other: standard output is for events.`,
      "The events tell of the progress: task:progress, build:progress.",
    );
  if (asked === "tty" && (!terminal || dumb))
    throw refuse(
      origin,
      `tty needs a terminal${dumb ? " that can move its cursor (TERM is dumb)" : ", and standard output is none"}.`,
      "Write --progress plain.",
    );
  if (asked !== undefined && asked !== "auto") return asked;
  if (json || !terminal) return "none";
  return dumb || (CI !== undefined && !["", "0", "false"].includes(CI)) ? "plain" : "tty";
}

/** Nothing is shown before the first event, nor behind the disposal. */
export function openProgress(mode: "tty" | "plain" | "none"): ProgressDisplay {
  if (mode === "none") return { report: undefined, [Symbol.dispose]: () => undefined };
  const progress = trackProgress();
  let last = { at: 0, heard: 0 };
  let style: LogStyle | undefined;
  let shown: (Disposable & { touch: () => void }) | undefined;
  const now = (): number => last.at + performance.now() - last.heard;
  const show = mode === "tty" ? showBars : showLines;
  return {
    report: (event, given) => {
      style = given;
      last = { at: event.at, heard: performance.now() };
      progress.event(event);
      shown ??= show();
      shown.touch();
    },
    [Symbol.dispose]: () => shown?.[Symbol.dispose](),
  };

  function showBars(): Disposable & { touch: () => void } {
    return showRegion((size) => progressLines(progress.view(now()), { ...size, paint: style?.paint ?? ((_colour, text) => text) }));
  }

  function showLines(): Disposable & { touch: () => void } {
    const timer = setInterval(() => {
      const text = style && progressText(progress.view(now()), style, new Date().toISOString());
      if (text !== undefined) printOut(text);
    }, PLAIN_MS);
    return { touch: () => undefined, [Symbol.dispose]: () => clearInterval(timer) };
  }
}
