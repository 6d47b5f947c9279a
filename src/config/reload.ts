import { PgdittoError } from "../errors.ts";
import { type OwnSql, stagesInUse } from "./own-sql.ts";

interface Reload {
  mode: string;
  atomic: boolean;
  dropIndexes: boolean;
  strategy: string;
  via: string;
  resume: boolean;
  keepStaging: boolean;
  keepPrevious: boolean;
  noOwner: boolean;
  noAcl: boolean;
  noTablespaces: boolean;
  skipExtensions: readonly string[];
  maxTargetSize: number | undefined;
  sql: OwnSql;
}

/** `--mode truncate` makes no database: what speaks of one, or of what is in its schema, has no meaning there. @throws PgdittoError `usage` naming the flags. */
export function refuseHalfReload(config: Reload): void {
  const own = [...(config.atomic ? ["--atomic"] : []), ...(config.dropIndexes ? ["--drop-indexes"] : [])];
  if (config.mode !== "truncate") {
    if (own.length === 0) return;
    throw contradiction(
      `${own.join(" and ")} without --mode truncate: only there a table's rows are replaced in place.`,
      own[0],
      "Add --mode truncate.",
    );
  }
  const others = [
    ...(config.via === "stream" ? [] : [`--via ${config.via}`]),
    ...(config.strategy === "copy" ? [] : [`--strategy ${config.strategy}`]),
    ...(config.resume ? ["--resume"] : []),
    ...(config.keepStaging ? ["--keep-staging"] : []),
    ...(config.keepPrevious ? ["--keep-previous"] : []),
    ...(config.noOwner ? ["--no-owner"] : []),
    ...(config.noAcl ? ["--no-acl"] : []),
    ...(config.noTablespaces ? ["--no-tablespaces"] : []),
    ...(config.skipExtensions.length > 0 ? ["--skip-extension"] : []),
    ...(config.maxTargetSize === undefined ? [] : ["--max-target-size"]),
  ];
  const within = stagesInUse(config.sql).filter(({ stage }) => stage === "after-schema" || stage === "after-data");
  if (others.length > 0) {
    throw contradiction(
      `--mode truncate and ${others.join(", ")} contradict each other: it keeps the database with all that is in it, and replaces rows only.`,
      others[0],
      `Leave out ${others.join(", ")}, or --mode truncate.`,
    );
  }
  if (config.atomic && within.length > 0) {
    throw contradiction(
      `--atomic and ${within.map(({ written }) => written).join(", ")} contradict each other: the reload is one transaction of its own.`,
      within[0]?.written,
      "Use the stages before and after, or leave out --atomic.",
    );
  }
  if (config.atomic && config.dropIndexes) {
    throw contradiction(
      "--atomic and --drop-indexes contradict each other: readers go on reading, and dropping an index would keep them out until the end.",
      "--drop-indexes",
      "Leave out one of them.",
    );
  }
}

function contradiction(message: string, object: string | undefined, hint: string): PgdittoError {
  return new PgdittoError("usage", message, { object, hint });
}
