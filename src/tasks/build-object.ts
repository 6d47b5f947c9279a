import { PgdittoError } from "../errors.ts";
import type { BuildTask } from "../plan/task.ts";
import { applyEntry } from "./apply-entries.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";

/** Builds one index, constraint or foreign key. */
export async function buildObject(task: BuildTask, context: TaskContext): Promise<TaskResult> {
  const session = await context.target();
  try {
    const settings = task.kind === "foreign-key" ? task.entry.settings : `${task.entry.settings} ${parallelSql(context)}`;
    await applyEntry(session, { ...task.entry, settings }, context);
  } catch (error) {
    if (!task.partial || !(error instanceof PgdittoError) || error.sqlstate !== "23503") throw error;
    await buildWithoutRows(task, context);
  }
  return NOTHING_MOVED;
}

/** For this transaction, and never more than the server or the role allows itself (manual 20.4.6). */
function parallelSql({ coreShare }: TaskContext): string {
  const most = coreShare();
  if (most === undefined) return "";
  const setting = "'max_parallel_maintenance_workers'";
  return `SELECT pg_catalog.set_config(${setting}, LEAST(pg_catalog.current_setting(${setting})::pg_catalog.int4, ${most})::pg_catalog.text, true);`;
}

/**
 * A foreign key into a table whose rows the user did not select: kept, but NOT VALID, so that it holds for new rows. Before
 * PostgreSQL 18 that does not exist for partitioned tables; there it has to stay out. Either is said.
 */
async function buildWithoutRows(task: BuildTask, context: TaskContext): Promise<void> {
  const session = await context.target();
  const notValid = task.entry.sql.replace(/;\s*$/, " NOT VALID;");
  try {
    await applyEntry(session, task.entry, context, notValid);
    context.warn(
      "foreign-key-not-valid",
      `Foreign key ${task.object} is NOT VALID on the target: it refers to rows that were not selected.`,
      "Add the table it refers to to CORE_TABLES.",
    );
  } catch (error) {
    if (!(error instanceof PgdittoError) || !["0A000", "42809"].includes(error.sqlstate ?? "")) throw error;
    context.warn(
      "foreign-key-left-out",
      `Foreign key ${task.object} is left out: it refers to rows that were not selected, and a partitioned table cannot have it NOT VALID before PostgreSQL 18.`,
      "Add the table it refers to to CORE_TABLES.",
    );
  }
}
