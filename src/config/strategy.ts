import { PgdittoError } from "../errors.ts";

/** What decides how much of the source is copied. */
interface Choices {
  tables: readonly string[];
  excludeTables: readonly string[];
  schemas: readonly string[];
  excludeSchemas: readonly string[];
  noOwner: boolean;
  noAcl: boolean;
  noTablespaces: boolean;
  skipExtensions: readonly string[];
}

/** The options in use that leave something out, or give it to somebody else, as their flags. */
export function leavingOut(config: Choices): string[] {
  const flags: Array<[string, boolean]> = [
    ["--table (CORE_TABLES)", config.tables.length > 0],
    ["--exclude-table", config.excludeTables.length > 0],
    ["--schema", config.schemas.length > 0],
    ["--exclude-schema", config.excludeSchemas.length > 0],
    ["--no-owner", config.noOwner],
    ["--no-acl", config.noAcl],
    ["--no-tablespaces", config.noTablespaces],
    ["--skip-extension", config.skipExtensions.length > 0],
  ];
  return flags.flatMap(([flag, used]) => (used ? [flag] : []));
}

/** `template` copies files, whole: there is nothing that it could leave out. @throws PgdittoError `usage` naming both flags. */
export function refuseHalfTemplate(config: Choices & { strategy: string }): void {
  const others = leavingOut(config);
  if (config.strategy !== "template" || others.length === 0) return;
  throw new PgdittoError(
    "usage",
    `--strategy template and ${others.join(", ")} contradict each other: it copies the whole database as it is.`,
    {
      object: "--strategy",
      hint: `Leave out ${others.join(", ")}, or --strategy template.`,
    },
  );
}
