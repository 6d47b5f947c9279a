import { PgdittoError } from "../errors.ts";
import type { FinishTask } from "../plan/task.ts";
import { applyEntry, flush } from "./apply-entries.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";
import { dropJournalSql, hasJournal } from "./journal.ts";

/**
 * Drops the journal and makes the event triggers, in one transaction: an event trigger that tells of drops would tell of the journal's,
 * and some refuse them. Where there is no journal any more, an earlier attempt was through.
 */
export async function finish(task: FinishTask, context: TaskContext): Promise<TaskResult> {
  const session = await context.target();
  const { journal } = context;
  if (!journal) throw new PgdittoError("internal", "A plan that ends a journal runs without one.");
  const { schema } = journal;
  if (context.attempt > 1 && !(await hasJournal(session, schema))) return NOTHING_MOVED;
  await session.run(`BEGIN; ${dropJournalSql(schema)}`, context.signal);
  for (const entry of task.entries) await applyEntry(session, entry, { ...context, journal: undefined });
  await session.run("COMMIT", context.signal);
  await flush(session, context.signal);
  return NOTHING_MOVED;
}
