import { type Command, type GROUPS, type OptionSpec, TARGET_ONLY } from "../config/option-spec.ts";
import { type OptionKey, specOf } from "../config/options.ts";

/** What options of a sync mean to commands that copy nothing and work on the target alone. */
const ON_TARGET: Readonly<Partial<Record<OptionKey, { group?: (typeof GROUPS)[number]; help: string }>>> = {
  target: { help: "The database to work on (ARCHIVE): postgresql://user:password@host:port/database?sslmode=..., or key=value pairs." },
  tables: {
    group: "What is taken off",
    help: "Constraints of these tables only. pg_dump's patterns; repeatable. The variable takes several, separated by commas or spaces.",
  },
  excludeTables: { group: "What is taken off", help: "Leave these tables alone; repeatable." },
  schemas: { group: "What is taken off", help: "Constraints of the tables in these schemas only; repeatable." },
  excludeSchemas: { group: "What is taken off", help: "Leave the tables in these schemas alone; repeatable." },
  jobs: { help: "Connections that put back and validate at the same time." },
  yes: { help: "Also put back what a ledger holds that came here with a copy of another database." },
  json: { help: "Print the result as one line of JSON on standard output instead of text." },
};

/** The option's row of the table, as this command's help shows it. */
export function specFor(command: Command, key: OptionKey): OptionSpec {
  const spec = specOf(key);
  return TARGET_ONLY.some((name) => name === command) ? { ...spec, ...ON_TARGET[key] } : spec;
}
