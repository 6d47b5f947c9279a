import { join } from "node:path";

import { PgdittoError } from "../errors.ts";
import type { Copy, DumpTask } from "../plan/task.ts";
import { quoteQualified } from "../postgres/quote.ts";
import { withFacts } from "../postgres/server-error.ts";
import { runClient } from "../schema/pg-dump/run-client.ts";
import { flush } from "./apply-entries.ts";
import type { TaskContext, TaskResult } from "./context.ts";
import { aboutEntry, sizeOf } from "./dump-access.ts";

/**
 * Restores the rows of one entry's tables with pg_restore. Each table is a transaction of its own there, so another attempt empties all of
 * them first: TRUNCATE waits for what an earlier one may still be at.
 */
export async function importEntry(task: DumpTask, context: TaskContext): Promise<TaskResult> {
  const { dump } = context;
  if (!dump) throw new PgdittoError("internal", "There is no dump folder to read from.");
  const file = join(dump.folder, task.dump.path);
  const target = await context.target();
  if (context.attempt > 1) {
    await target.run(emptySql(task), context.signal);
  }
  const { connect, program } = dump;
  const jobs = Math.min(dump.jobs, task.copies.length);
  // not `--single-transaction`, which several jobs cannot share
  const args = ["--data-only", "--exit-on-error", "--no-owner", "--no-privileges", `--jobs=${jobs}`, file];
  try {
    await runClient({ program, args, jobs, config: target.config, connect, signal: context.signal, onBytes: context.onBytes });
  } catch (error) {
    const known = aboutEntry(error, task, target.config.database);
    // what the server says of rows is no failure of pg_restore's
    throw known instanceof PgdittoError && known.sqlstate !== undefined ? withFacts(known, {}, "copy") : known;
  }
  await flush(target, context.signal);
  return { rows: 0, bytes: await sizeOf(file) };
}

/** Of an extension's table only the rows that are the user's, which has an entry of its own: others are its script's, or refer to it. */
function emptySql({ copies }: DumpTask): string {
  const name = ({ schema, name: own }: Copy["table"]): string => quoteQualified(schema, own);
  const [first] = copies;
  if (first?.table.extension) return `DELETE FROM ONLY ${name(first.table)} ${first.table.extension.condition}`;
  return `TRUNCATE ${copies.map(({ table }) => `${table.parts ? "" : "ONLY "}${name(table)}`).join(", ")}`;
}
