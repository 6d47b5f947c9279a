import type { OptionSpec } from "./option-spec.ts";

/** Options of `pgditto constraints` alone. They belong to one call. */
export const CONSTRAINTS = {
  kinds: {
    type: "names",
    flag: "kind",
    placeholder: "KIND",
    group: "What is taken off",
    commands: ["constraints"],
    notInFile: true,
    help: "Constraints of this kind only: foreign-key, check, unique, exclusion, not-null. Repeatable, or several with commas between.",
    fallback: "all five; primary keys stay",
  },
  save: {
    type: "text",
    flag: "save",
    placeholder: "FILE",
    group: "What is taken off",
    commands: ["constraints"],
    notInFile: true,
    help: "drop: write the SQL that puts them back to this new file, too, before anything is taken off; psql can run it.",
  },
  dryRun: {
    type: "boolean",
    flag: "dry-run",
    group: "What is taken off",
    commands: ["constraints"],
    notInFile: true,
    help: "Print the SQL (drop: both ways), and touch nothing.",
  },
} as const satisfies Record<string, OptionSpec>;
