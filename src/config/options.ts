import { CONSTRAINTS } from "./constraint-options.ts";
import { LIMITS } from "./limit-options.ts";
import { PROGRESS } from "./progress-options.ts";
import { DUMP } from "./dump-options.ts";
import { COMPARE, HALVES, type OptionSpec, RUN, TARGET_ONLY } from "./option-spec.ts";
import { SELECTION } from "./selection-options.ts";
import { RELOAD } from "./reload-options.ts";
import { OWN_SQL } from "./sql-options.ts";

/** The one table of options: config-file keys, flags, environment variables, types, defaults, help and the JSON schema come from it. */
export const OPTIONS = {
  source: {
    type: "endpoint",
    flag: "source",
    env: "MAIN_DB_URL",
    placeholder: "URL",
    group: "Databases",
    commands: [...COMPARE, "export"],
    help: "The database to copy (MAIN): postgresql://user:password@host:port/database?sslmode=..., or key=value pairs.",
    fallback: "MAIN_DB_HOST, _PORT, _USER, _PASSWORD, _NAME, then postgres@localhost:5432/Main_DB",
  },
  target: {
    type: "endpoint",
    flag: "target",
    env: "ARCHIVE_DB_URL",
    placeholder: "URL",
    group: "Databases",
    commands: [...COMPARE, "import", "cleanup", ...TARGET_ONLY],
    help: "The database to replace by the copy (ARCHIVE), written like --source.",
    fallback: "ARCHIVE_DB_HOST, ..., then postgres@localhost:5432/Archive_DB",
  },
  connectTimeout: {
    type: "integer",
    flag: "connect-timeout",
    env: "PGCONNECT_TIMEOUT",
    placeholder: "SECONDS",
    min: 1,
    max: 3600,
    default: 10,
    group: "Databases",
    commands: [...COMPARE, ...HALVES, ...TARGET_ONLY],
    help: "Seconds until an attempt to connect is given up.",
  },
  ...SELECTION,
  ...CONSTRAINTS,
  jobs: {
    type: "integer",
    flag: "jobs",
    short: "j",
    env: "PG_JOBS",
    placeholder: "N",
    min: 1,
    max: 1000,
    default: 4,
    group: "How",
    commands: [...COMPARE, ...HALVES, ...TARGET_ONLY],
    help: "Connections that copy and build at the same time, multiplied by the batch size.",
  },
  batchSize: {
    type: "integer",
    flag: "batch-size",
    env: "BATCH_SIZE",
    placeholder: "N",
    min: 1,
    max: 1000,
    default: 1,
    group: "How",
    commands: [...COMPARE, ...HALVES],
    help: "Tables at once, each with --jobs connections: jobs x batch size connections in all.",
  },
  retryCount: {
    type: "integer",
    flag: "retry-count",
    env: "RETRY_COUNT",
    placeholder: "N",
    min: 1,
    max: 100,
    default: 3,
    group: "How",
    commands: [...COMPARE, ...HALVES, ...TARGET_ONLY],
    help: "Attempts in all for what fails in passing (connection lost, deadlock); 1 means no second attempt.",
  },
  stallTimeout: {
    type: "integer",
    flag: "stall-timeout",
    placeholder: "SECONDS",
    min: 1,
    max: 86_400,
    default: 300,
    group: "How",
    commands: [...COMPARE, ...HALVES],
    help: "Give up when a server has answered nobody, or nothing of a copy has moved, for so long.",
  },
  verify: {
    type: "choice",
    flag: "verify",
    choices: ["counts", "checksum"],
    fallback: "counts; of the command verify: checksum",
    group: "How",
    commands: [...COMPARE, ...HALVES],
    help:
      "How rows are compared. counts: their number in each table. checksum: their content, too; both servers read everything once more, and " +
      "the rows that differ are named.",
  },
  resume: {
    type: "boolean",
    flag: "resume",
    group: "How",
    commands: RUN,
    notInFile: true,
    help: "Go on with what a failed run left (exit code 7): what is done, and proven unchanged on the source since, is not done again.",
  },
  keepStaging: {
    type: "boolean",
    flag: "keep-staging",
    group: "How",
    commands: [...RUN, "import"],
    help: "When the run fails or is cancelled, keep the staging database, for --resume or to look at. Without it, it stays only when a server or the network was lost.",
  },
  mode: {
    type: "choice",
    flag: "mode",
    choices: ["staging", "recreate", "truncate"],
    default: "staging",
    group: "How",
    commands: [...RUN, "import"],
    help:
      "staging: build the copy beside the target and swap it in once it is proven. recreate: drop the target first and fill it in " +
      "place, where the disk has no room for two. truncate: keep the database, and replace the rows of its tables.",
  },
  ...RELOAD,
  strategy: {
    type: "choice",
    flag: "strategy",
    choices: ["copy", "template"],
    default: "copy",
    group: "How",
    commands: RUN,
    help:
      "copy: schema by pg_dump, rows by COPY. template: only where source and target are on one server, the server copies the source's files " +
      "(CREATE DATABASE ... TEMPLATE): faster, but nobody may be connected to the source, and new sessions wait. Copies everything.",
  },
  keepPrevious: {
    type: "boolean",
    flag: "keep-previous",
    group: "How",
    commands: [...RUN, "import"],
    help: "Keep the replaced database as <target>_previous.",
  },
  yes: {
    type: "boolean",
    flag: "yes",
    short: "y",
    group: "How",
    commands: [...RUN, "import", "cleanup", "repair", "constraints"],
    help: "Do not ask before a database that pgditto did not make is replaced, or what cleanup found is removed.",
  },
  ...DUMP,
  ...LIMITS,
  ...OWN_SQL,
  pgDump: {
    type: "choice",
    flag: "pg-dump",
    choices: ["auto", "native", "wasm"],
    default: "auto",
    group: "pg_dump",
    commands: COMPARE,
    help: "The pg_dump that reads the schema: an installed one, the built-in (WASM), or auto: the newest installed that suits, else built-in.",
  },
  pgBin: {
    type: "text",
    flag: "pg-bin",
    env: "PGDITTO_PG_BIN",
    placeholder: "FOLDER",
    group: "pg_dump",
    commands: [...COMPARE, ...HALVES],
    help: "The folder that holds the pg_dump to use.",
    fallback: "PATH and the usual folders",
  },
  json: {
    type: "boolean",
    flag: "json",
    group: "Output and configuration",
    commands: [...COMPARE, ...HALVES, "cleanup", ...TARGET_ONLY],
    notInFile: true,
    help: "Print JSON on standard output instead of text: one event a line, the result last.",
  },
  profile: {
    type: "text",
    flag: "profile",
    placeholder: "FILE",
    group: "Output and configuration",
    commands: [...RUN, ...HALVES],
    notInFile: true,
    help: "Write a timeline of the sync to this file at its end: a Chrome trace, for ui.perfetto.dev or chrome://tracing.",
  },
  ...PROGRESS,
  config: {
    type: "text",
    flag: "config",
    placeholder: "FILE",
    group: "Output and configuration",
    commands: [...COMPARE, ...HALVES, "cleanup", ...TARGET_ONLY],
    notInFile: true,
    help: "Read this config file (.json or .mjs).",
    fallback: "pgditto.config.json or pgditto.config.mjs in the current folder, if there is one",
  },
  keep: {
    type: "boolean",
    flag: "keep",
    group: "Output and configuration",
    commands: ["demo"],
    notInFile: true,
    help: "Leave both demo servers running and print how to connect.",
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionKey = keyof typeof OPTIONS;
export const OPTION_KEYS = Object.keys(OPTIONS) as OptionKey[];

/** The table's row, seen as the general type. */
export function specOf(key: OptionKey): OptionSpec {
  return OPTIONS[key];
}

/** The keys that a config file may hold. */
export const FILE_KEYS: readonly OptionKey[] = OPTION_KEYS.filter((key) => specOf(key).notInFile !== true);
