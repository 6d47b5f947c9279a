import { type OptionSpec, RUN } from "./option-spec.ts";

/** How rows reach the target, and what becomes of the folder that they go through. */
export const DUMP = {
  via: {
    type: "choice",
    flag: "via",
    choices: ["stream", "dump"],
    default: "stream",
    group: "How",
    commands: RUN,
    help:
      "stream: rows pass from one server to the other. dump: pg_dump writes them to a folder, and pg_restore reads it when the source is " +
      "not needed any more; takes both programs, and room for the folder.",
  },
  dumpDir: {
    type: "text",
    flag: "dump-dir",
    env: "DUMP_DIR",
    placeholder: "FOLDER",
    group: "How",
    commands: [...RUN, "cleanup"],
    help: "With --via dump the folder that rows go through: new, or empty. Without it nothing is written there.",
    fallback: "./migration_dumps_<YYYYMMDD_HHMMSS>",
  },
  dumpFormat: {
    type: "choice",
    flag: "dump-format",
    choices: ["directory", "custom"],
    default: "directory",
    group: "How",
    commands: [...RUN, "export"],
    help: "What pg_dump writes for a table: a folder (-Fd), where its partitions are written by --jobs at the same time, or one file (-Fc).",
  },
  keepDumps: {
    type: "boolean",
    flag: "keep-dumps",
    group: "How",
    commands: RUN,
    help: "With --via dump: keep the folder once it is complete, even when the import fails; pgditto import reads it.",
  },
} as const satisfies Record<string, OptionSpec>;
