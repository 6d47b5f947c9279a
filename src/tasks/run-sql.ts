import { withoutValues } from "../config/sql/expand-variables.ts";
import { PgdittoError } from "../errors.ts";
import { begunKey, isRepeatable } from "../plan/sql-step.ts";
import type { SqlTask } from "../plan/task.ts";
import { flush } from "./apply-entries.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";
import { type Journal, noteAppliedSql, readApplied } from "./journal.ts";
import { runHook } from "./run-hook.ts";
import { runScript, useOrdinarySettings } from "./run-script.ts";
import { tellNotices } from "./tell-notices.ts";

/**
 * Runs a file of the user's, or a hook, once. A file in one transaction is noted in it, so that another attempt, or a run that goes on, knows whether it is
 * done. Of everything else it is noted that it begins, and then that it is done; it has one attempt. Where there is no journal (behind the proof, and in a database that stays), it has one attempt too.
 */
export async function runSql({ step }: SqlTask, context: TaskContext): Promise<TaskResult> {
  const { signal } = context;
  const journal = step.stage === "after" ? undefined : context.journal;
  const repeatable = journal !== undefined && isRepeatable(step);
  if (journal && (await isDone(step.key, journal, context))) return NOTHING_MOVED;
  const note = async (key: string): Promise<void> => {
    if (!journal || repeatable) return;
    const target = await context.target();
    await target.run(noteAppliedSql(journal.schema, [key]), signal);
    await flush(target, signal);
  };
  await note(begunKey(step));
  try {
    const session = await context.target();
    await useOrdinarySettings(session, signal);
    const hide = (text: string): string => ("script" in step.work ? withoutValues(text, step.work.script.variables) : text);
    using _notices = tellNotices(session, step.name, hide, context);
    if ("hook" in step.work) await runHook(session, step.work.hook, step.stage, signal);
    else await runScript(session, step.work.script, signal, repeatable ? noteAppliedSql(journal.schema, [step.key]) : "");
  } catch (error) {
    // an earlier attempt's COMMIT was on its way after all, and its note is in the way of this one's
    if (!repeatable || !(error instanceof PgdittoError) || error.code !== "server" || error.sqlstate !== "23505") throw error;
  } finally {
    await context.leaveTarget();
  }
  await note(step.key);
  return NOTHING_MOVED;
}

async function isDone(key: string, journal: Journal, { attempt, target, signal }: TaskContext): Promise<boolean> {
  return attempt > 1 ? (await readApplied(await target(), journal.schema, [key], signal)).size > 0 : journal.held.applied.has(key);
}
