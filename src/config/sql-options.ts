import { type OptionSpec, RUN } from "./option-spec.ts";
import { SQL_STAGES } from "./sql/stages.ts";

/** The user's own SQL. */
export const OWN_SQL = {
  sql: {
    type: "pairs",
    flag: "sql",
    placeholder: "STAGE=FILE",
    keys: SQL_STAGES,
    group: "Your own SQL",
    commands: [...RUN, "import"],
    help:
      "Run this file of SQL, or every *.sql in this folder, in the staging database; repeatable. STAGE: before (it is empty), after-schema " +
      "(tables without rows), after-data (all rows are in and compared; before indexes), after (all is proven; before the swap).",
  },
  set: {
    type: "pairs",
    flag: "set",
    placeholder: "NAME=VALUE",
    group: "Your own SQL",
    commands: [...RUN, "import"],
    help: "A variable for these files, used as in psql: :'name' is a string, :\"name\" a name, :name bare; repeatable. Everyone on the machine can see a flag.",
  },
} as const satisfies Record<string, OptionSpec>;
