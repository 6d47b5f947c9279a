import { splitEntries } from "../../plan/split-entries.ts";
import type { Session } from "../../postgres/session.ts";
import { parseEntries, type SchemaEntry } from "../../schema/entries.ts";
import { runPgDump } from "../../schema/pg-dump/run-pg-dump.ts";
import type { Ends } from "../../verify/find-rows.ts";
import { findProgram } from "../find-program.ts";
import { openSource } from "../open.ts";
import { dumpArguments } from "../read-source.ts";
import { type Run, stage } from "../run.ts";

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
  const [older, newer] = [source.serverVersion, target.serverVersion].toSorted((a, b) => a - b);
  const program = await findProgram(run, { sourceVersion: newer ?? 0, targetVersion: older ?? 0 });
  const read = async (session: Session, snapshot: string, connect: () => Promise<Session>): Promise<SchemaEntry[]> => {
    // the database itself has another name, another comment, and pgditto's mark
    const args = (await dumpArguments(run, session, snapshot, false)).filter((argument) => argument !== "--create");
    return parseEntries(await runPgDump({ program, connect, args, signal: run.signal }), "may be empty");
  };
  return await stage(run, "pg-dump", async () => {
    const [there, here] = await Promise.all([
      read(source, snapshots.source, () => openSource(run, "pg_dump")),
      read(target, snapshots.target, () => openTarget("pg_dump")),
    ]);
    return { source: there, target: here, skipped: splitEntries(there, run.config.skipExtensions).skipped };
  });
}
