import { splitEntries } from "../../plan/split-entries.ts";
import type { Session } from "../../postgres/session.ts";
import { parseEntries, type SchemaEntry } from "../../schema/entries.ts";
import { findPgDump } from "../../schema/pg-dump/find-pg-dump.ts";
import { runPgDump } from "../../schema/pg-dump/run-pg-dump.ts";
import type { Ends } from "../../verify/find-rows.ts";
import { openSource } from "../open.ts";
import { dumpArguments } from "../read-source.ts";
import { info, type Run, stage, warn } from "../run.ts";

interface BothSchemas {
  source: readonly SchemaEntry[];
  target: readonly SchemaEntry[];
  /** What `--skip-extension` leaves out. */
  skipped: readonly SchemaEntry[];
}

/** One pg_dump reads both sides, so that what differs is the databases and not its words. */
export async function readBothSchemas(
  run: Run,
  { source, target }: Ends,
  snapshots: Readonly<{ source: string; target: string }>,
  openTarget: (purpose: string) => Promise<Session>,
): Promise<BothSchemas> {
  const versions = [source.serverVersion, target.serverVersion].toSorted((a, b) => b - a);
  const program = await stage(run, "find-pg-dump", () =>
    findPgDump({
      choice: run.config.pgDump,
      pgBin: run.config.pgBin,
      pathEnv: run.machine.path,
      platform: run.machine.platform,
      sourceVersion: versions[0] ?? 0,
      targetVersion: versions[1],
    }),
  );
  if (program.note !== undefined) info(run, "pg-dump", program.note);
  if (program.warning !== undefined) warn(run, "pg-dump-old", program.warning);
  const read = async (snapshot: string, connect: () => Promise<Session>): Promise<SchemaEntry[]> => {
    // the database itself has another name, another comment, and pgditto's mark
    const args = dumpArguments(run, snapshot, false).filter((argument) => argument !== "--create");
    return parseEntries(await runPgDump({ program, connect, args, signal: run.signal }), "may be empty");
  };
  return await stage(run, "pg-dump", async () => {
    const [there, here] = await Promise.all([
      read(snapshots.source, () => openSource(run, "pg_dump")),
      read(snapshots.target, () => openTarget("pg_dump")),
    ]);
    return { source: there, target: here, skipped: splitEntries(there, run.config.skipExtensions).skipped };
  });
}
