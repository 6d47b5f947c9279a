import { readScripts } from "../config/sql/read-scripts.ts";
import { SQL_STAGES, type SqlStage } from "../config/sql/stages.ts";
import { makeStep, type SqlStep } from "../plan/sql-step.ts";
import type { Run } from "./run.ts";

/**
 * The run with the user's own SQL, in the order it will go: of each stage the files as they were given, then the hook. Before anything is connected, so that a mistake in the last
 * file costs nobody the hours before it.
 * @throws PgdittoError `usage` that names file and line.
 */
export async function withOwnSql(run: Run): Promise<Run> {
  const { files, variables, hooks } = run.config.sql;
  const steps: SqlStep[] = [];
  for (const stage of SQL_STAGES) {
    const works: Array<SqlStep["work"]> = [];
    for (const file of files.filter((one) => one.stage === stage))
      works.push(...(await readScripts(file, variables)).map((script) => ({ script })));
    const hook = hooks[stage];
    if (hook) works.push({ hook });
    steps.push(...works.map((work, i) => makeStep(stage, i + 1, work)));
  }
  return steps.length === 0 ? run : { ...run, steps };
}

export function stepsOf({ steps = [] }: Pick<Run, "steps">, ...stages: SqlStage[]): SqlStep[] {
  return steps.filter((step) => stages.includes(step.stage));
}
