import type { Task } from "../plan/task.ts";
import { analyzeRelations } from "./analyze-relations.ts";
import { applyEntries, applyEntry, flush } from "./apply-entries.ts";
import { buildObject } from "./build-object.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";
import { copyLargeObjects } from "./copy-large-objects.ts";
import { copyRows } from "./copy-rows.ts";
import { countRows } from "./count-rows.ts";
import { exportEntry } from "./export-entry.ts";
import { finish } from "./finish.ts";
import { runSql } from "./run-sql.ts";
import { importEntry } from "./import-entry.ts";
import { setSequences } from "./set-sequences.ts";

/** One attempt at a task, whatever its kind. */
export async function runTask(task: Task, context: TaskContext): Promise<TaskResult> {
  switch (task.kind) {
    case "pre-data":
    case "statements":
    case "small-builds":
      await applyEntries(await context.target(), task.entries, context);
      await flush(await context.target(), context.signal);
      return NOTHING_MOVED;
    case "copy":
      return copyRows(task, context);
    case "export":
      return exportEntry(task, context);
    case "import":
      return importEntry(task, context);
    case "large-objects":
      return copyLargeObjects(task, context);
    case "index":
    case "constraint":
    case "foreign-key":
      return flushed(await buildObject(task, context), context);
    case "refresh":
      await applyEntry(await context.target(), task.entry, context);
      return flushed(NOTHING_MOVED, context);
    case "sequences":
      return flushed(await setSequences(task, context), context);
    case "analyze":
      return analyzeRelations(task, context);
    case "count":
      return countRows(task, context);
    case "sql":
      return runSql(task, context);
    case "finish":
      return finish(task, context);
    default:
      return task satisfies never;
  }
}

/** A task that is done is not done again: the target must not forget it when it crashes. Copies wait for the disk when they commit. */
async function flushed(result: TaskResult, context: TaskContext): Promise<TaskResult> {
  await flush(await context.target(), context.signal);
  return result;
}
