import type { ConfigFile } from "./config-file.ts";
import { splitPair } from "./pairs.ts";
import type { Variables } from "./sql/expand-variables.ts";
import { checkHooks, type SqlHooks } from "./sql/hooks.ts";
import type { ScriptPath } from "./sql/read-scripts.ts";
import { SQL_STAGES, type SqlStage } from "./sql/stages.ts";
import { absolute, type Surroundings } from "./surroundings.ts";

/** The user's own SQL, as it was asked for. */
export interface OwnSql {
  /** In the order they were given. */
  files: ReadonlyArray<ScriptPath & { stage: SqlStage }>;
  variables: Variables;
  hooks: SqlHooks;
}

export const NO_SQL: OwnSql = { files: [], variables: new Map(), hooks: {} };

/** @param given `sql` and `set` have been looked at, hooks have not. @throws PgdittoError of hooks that are none. */
export function resolveOwnSql(
  given: { sql: readonly string[] | undefined; set: readonly string[] | undefined; hooks: unknown; file: ConfigFile | undefined },
  surroundings: Surroundings,
): OwnSql {
  const { sql = [], set = [], file } = given;
  const fromFile = file?.hooks === undefined ? {} : checkHooks(file.hooks, file.locate(["hooks"]));
  return {
    files: sql.flatMap((pair) => {
      const [left, path = ""] = splitPair(pair) ?? [];
      const stage = SQL_STAGES.find((known) => known === left);
      return stage ? [{ stage, given: path, absolute: absolute(path, surroundings) }] : [];
    }),
    variables: new Map(set.flatMap((pair) => [splitPair(pair)].filter((found) => found !== undefined))),
    hooks: given.hooks === undefined ? fromFile : checkHooks(given.hooks, { code: "usage", name: "hooks" }),
  };
}

/** The stages that something was asked for in, as its owner wrote it: `--sql before`. */
export function stagesInUse({ files, hooks }: OwnSql): Array<{ stage: SqlStage; written: string }> {
  return SQL_STAGES.flatMap((stage) => [
    ...(files.some((file) => file.stage === stage) ? [{ stage, written: `--sql ${stage}` }] : []),
    ...(hooks[stage] ? [{ stage, written: `hooks.${stage}` }] : []),
  ]);
}
