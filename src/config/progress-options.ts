import type { OptionSpec } from "./option-spec.ts";

/** How the command line tells how far a run is. */
export const PROGRESS = {
  progress: {
    type: "choice",
    flag: "progress",
    choices: ["auto", "tty", "plain", "none"],
    default: "auto",
    group: "Output and configuration",
    commands: ["sync", "plan", "verify", "doctor", "export", "import", "demo"],
    notInFile: true,
    help:
      "How far the run is. tty: bars under the log, on a terminal. plain: a line every 10 seconds, for a log that somebody watches. auto: tty on a " +
      "terminal, plain on one that can move no cursor and in CI's, else none.",
  },
} as const satisfies Record<string, OptionSpec>;
