import type { SqlStage } from "../config/sql/stages.ts";
import type { SqlStep } from "./sql-step.ts";
import type { SqlTask, Task } from "./task.ts";

/** Work on rows: copied, and counted while they are the source's. */
const ROWS: ReadonlySet<Task["kind"]> = new Set(["copy", "export", "import", "large-objects", "count"]);

/**
 * The tasks with the user's SQL among them: `before` ahead of the schema, `after-schema` between it and the rows, `after-data` behind the last row
 * that is copied and counted and ahead of whatever is built on rows. What comes behind the proof is no part of the graph. Without steps the
 * tasks are as they were.
 */
export function withSql(tasks: readonly Task[], steps: readonly SqlStep[]): readonly Task[] {
  const of = (stage: SqlStage): SqlStep[] => steps.filter((step) => step.stage === stage);
  const idsOf = (wanted: (task: Task) => boolean): string[] => tasks.filter(wanted).map((task) => task.id);
  const before = chain(of("before"), []);
  const afterSchema = chain(of("after-schema"), ["pre-data"]);
  const afterData = chain(of("after-data"), ["pre-data", ...lastOf(afterSchema), ...idsOf(({ kind }) => ROWS.has(kind))]);
  if (before.length + afterSchema.length + afterData.length === 0) return tasks;
  const waits = tasks.map((task): Task => {
    const more = isSchema(task)
      ? lastOf(before)
      : ROWS.has(task.kind)
        ? lastOf(afterSchema)
        : [...lastOf(afterSchema), ...lastOf(afterData)];
    return { ...task, after: [...task.after, ...more] };
  });
  return [...before, ...waits, ...afterSchema, ...afterData];
}

/** The same in a database that stays, whose tables are ready: `after-schema` ahead of the rows, `after-data` behind them. */
export function withSqlAroundRows(rows: readonly Task[], steps: readonly SqlStep[]): readonly Task[] {
  const ahead = chain(
    steps.filter((step) => step.stage === "after-schema"),
    [],
  );
  const waits = rows.map((task) => ({ ...task, after: [...task.after, ...lastOf(ahead)] }));
  const behind = chain(
    steps.filter((step) => step.stage === "after-data"),
    [...ahead, ...waits].map((task) => task.id),
  );
  return [...ahead, ...waits, ...behind];
}

/** One behind the other. */
export function chain(steps: readonly SqlStep[], after: readonly string[]): SqlTask[] {
  const id = (i: number): string => `sql:${steps[i]?.stage ?? ""}:${i + 1}`;
  return steps.map((step, i) => ({
    kind: "sql",
    id: id(i),
    object: step.name,
    after: i === 0 ? after : [id(i - 1)],
    cost: 1e6,
    locks: [],
    step,
  }));
}

function lastOf(tasks: readonly SqlTask[]): string[] {
  return tasks.slice(-1).map((task) => task.id);
}

function isSchema({ id }: Task): boolean {
  return id === "pre-data" || id.startsWith("pre-data:");
}
