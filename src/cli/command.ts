import type { RunOptions } from "../index.ts";
import type { Paint } from "../report/style.ts";
import type { ProgressDisplay } from "./progress.ts";

/** What a command gets from the command line. */
export interface CommandContext {
  options: RunOptions;
  /** What stands behind the command, where it takes a word; else empty. */
  word: string;
  json: boolean;
  /** `--progress`. */
  progress: ProgressDisplay;
  /** `demo --keep`. */
  keep: boolean;
  /** `--profile FILE`. */
  profile: string | undefined;
  paint: Paint;
  signal: AbortSignal;
  /** The exit code of the signal that was caught, or the given one. */
  exitCode: (otherwise: number) => number;
  /** The failure has been printed as an event; nobody needs to print it again. */
  toldFailure: () => void;
}
