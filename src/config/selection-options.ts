import { COMPARE, HALVES, type OptionSpec } from "./option-spec.ts";

/** The rows of the table of options that say what is copied. */
export const SELECTION = {
  tables: {
    type: "names",
    flag: "table",
    short: "t",
    env: "CORE_TABLES",
    placeholder: "PATTERN",
    group: "What is copied",
    commands: [...COMPARE, "export", "constraints"],
    help:
      "Copy the rows of these tables only; the schema of everything is copied. pg_dump's patterns; repeatable. The variable takes " +
      'several, separated by commas or spaces, "in double quotes" where a name holds one.',
    fallback: "all tables",
  },
  excludeTables: {
    type: "names",
    flag: "exclude-table",
    short: "T",
    placeholder: "PATTERN",
    group: "What is copied",
    commands: [...COMPARE, "export", "constraints"],
    help: "Leave out the rows of these tables; repeatable.",
  },
  schemas: {
    type: "names",
    flag: "schema",
    short: "n",
    placeholder: "PATTERN",
    group: "What is copied",
    commands: [...COMPARE, "export", "constraints"],
    help: "Copy the rows of the tables in these schemas only; repeatable.",
  },
  excludeSchemas: {
    type: "names",
    flag: "exclude-schema",
    short: "N",
    placeholder: "PATTERN",
    group: "What is copied",
    commands: [...COMPARE, "export", "constraints"],
    help: "Leave out the rows of the tables in these schemas; repeatable.",
  },
  noOwner: {
    type: "boolean",
    flag: "no-owner",
    short: "O",
    group: "What is copied",
    commands: [...COMPARE, ...HALVES],
    help: "Leave out owners: everything belongs to the target's user.",
  },
  noAcl: {
    type: "boolean",
    flag: "no-acl",
    short: "x",
    aliases: ["no-privileges"],
    group: "What is copied",
    commands: [...COMPARE, ...HALVES],
    help: "Leave out grants and default privileges.",
  },
  noTablespaces: {
    type: "boolean",
    flag: "no-tablespaces",
    group: "What is copied",
    commands: [...COMPARE, ...HALVES],
    help: "Put everything in the target's default tablespace.",
  },
  skipExtensions: {
    type: "names",
    flag: "skip-extension",
    placeholder: "NAME",
    group: "What is copied",
    commands: [...COMPARE, ...HALVES],
    help: "Go on without this extension, which the target server does not have; repeatable.",
  },
} as const satisfies Record<string, OptionSpec>;

export const SELECTION_KEYS = Object.keys(SELECTION) as Array<keyof typeof SELECTION>;

/** The values of these options, resolved. */
export type Selection = {
  [K in keyof typeof SELECTION]: (typeof SELECTION)[K]["type"] extends "boolean" ? boolean : readonly string[];
};
