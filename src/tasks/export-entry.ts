import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { PgdittoError } from "../errors.ts";
import type { DumpTask } from "../plan/task.ts";
import { quoteQualified } from "../postgres/quote.ts";
import { runClient } from "../schema/pg-dump/run-client.ts";
import type { TaskContext, TaskResult } from "./context.ts";
import { aboutEntry, folderError, sizeOf } from "./dump-access.ts";

/**
 * Whoever asks for more than ACCESS SHARE of a table meanwhile (ALTER TABLE) waits for the holder of the snapshot, and pg_dump behind them: for
 * ever, and unseen by the server. Those that have a limit of their own get the time to give up.
 */
const LOCK_WAIT_MS = 15_000;

/** Writes the rows of one entry's tables with pg_dump, in the run's snapshot. What an earlier attempt has written goes before. */
export async function exportEntry(task: DumpTask, context: TaskContext): Promise<TaskResult> {
  const { dump } = context;
  if (!dump) throw new PgdittoError("internal", "There is no dump folder to write to.");
  const file = join(dump.folder, task.dump.path);
  await rm(file, { recursive: true, force: true });
  const tables = task.copies.flatMap(({ table }) => table.parts ?? [table]);
  const jobs = dump.format === "directory" ? Math.min(dump.jobs, tables.length) : 1;
  const args = [
    "--data-only",
    `--format=${dump.format}`,
    // only a folder can be written by several
    ...(dump.format === "directory" ? [`--jobs=${jobs}`] : []),
    `--snapshot=${dump.snapshot}`,
    `--encoding=${dump.encoding}`,
    `--lock-wait-timeout=${LOCK_WAIT_MS}`,
    "--no-blobs",
    "--strict-names",
    ...(task.copies.some(({ table }) => table.parts) ? ["--load-via-partition-root"] : []),
    ...tables.map(({ schema, name }) => `--table=${quoteQualified(schema, name)}`),
    `--file=${file}`,
  ];
  const { connect, program } = dump;
  const { config } = await context.source();
  try {
    // pg_dump makes a folder of mode 0700, but its file is as readable as the umask lets it be; one that is there keeps its mode
    if (dump.format === "custom") await writeFile(file, "", { flag: "wx", mode: 0o600 });
    await runClient({ program, args, jobs, config, connect, signal: context.signal, onBytes: context.onBytes });
  } catch (error) {
    throw await folderError(aboutEntry(error, task, config.database), dump);
  }
  return { rows: 0, bytes: await sizeOf(file) };
}
