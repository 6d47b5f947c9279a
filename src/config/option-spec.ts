export const COMMANDS = ["sync", "plan", "verify", "doctor", "export", "import", "cleanup", "constraints", "repair", "demo"] as const;
export type Command = (typeof COMMANDS)[number];

/** The one word that a command takes behind its name, as `placeholder` in its help; with `choices`, one of them. */
export interface Word {
  placeholder: string;
  choices?: readonly [string, ...string[]];
}

/** Commands that are not here take flags only. */
export const WORDS: Readonly<Partial<Record<Command, Word>>> = {
  constraints: { placeholder: "ACTION", choices: ["drop", "restore", "list"] },
  export: { placeholder: "DIR" },
  import: { placeholder: "DIR" },
};

/** plan and doctor take what sync takes, so that a command line needs one word changed to be looked at first. */
export const RUN = ["sync", "plan", "doctor"] as const;

/** What verify takes, too: where both databases are, which rows, over how many connections. */
export const COMPARE = ["sync", "plan", "verify", "doctor"] as const;

/** What works on the target alone. */
export const TARGET_ONLY = ["constraints", "repair"] as const;

export const GROUPS = [
  "Databases",
  "What is copied",
  "What is taken off",
  "How",
  "Limits",
  "Your own SQL",
  "pg_dump",
  "Output and configuration",
] as const;
/** The two halves of a run through a dump folder. */
export const HALVES = ["export", "import"] as const;

interface Common {
  /** The long flag, without `--`. */
  flag: string;
  /** The short flag, without `-`. */
  short?: string;
  /** Further long flags of the same meaning. */
  aliases?: readonly string[];
  env?: string;
  group: (typeof GROUPS)[number];
  /** One sentence; default and variable are added by whoever prints it. */
  help: string;
  commands: readonly Command[];
  /** Not a key of the config file: it belongs to one call. */
  notInFile?: true;
}

/** What one option is. `fallback` says in words what happens without it, where that is not a value. */
export type OptionSpec = Common &
  (
    | { type: "endpoint"; placeholder: string; fallback: string }
    | { type: "integer"; placeholder: string; min: number; max: number; default: number }
    /** A whole number that has no default. */
    | { type: "count"; placeholder: string; min: number; max: number }
    /** Bytes, written with a unit. */
    | { type: "size"; placeholder: string }
    | { type: "choice"; choices: readonly [string, ...string[]]; default: string }
    | { type: "choice"; choices: readonly [string, ...string[]]; fallback: string }
    | { type: "text"; placeholder: string; fallback?: string }
    | { type: "names"; placeholder: string; fallback?: string }
    /** A list of `left=right`; with `keys`, the left is one of them. */
    | { type: "pairs"; placeholder: string; keys?: readonly string[] }
    | { type: "boolean" }
  );
