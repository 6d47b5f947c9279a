import { findPgDump } from "../schema/pg-dump/find-pg-dump.ts";
import type { PgDumpProgram } from "../schema/pg-dump/pg-dump-program.ts";
import { info, type Run, stage, warn } from "./run.ts";

/** The pg_dump that reads the schema; tells why this one, and what is wrong with it. */
export async function findProgram(
  run: Run,
  versions: { sourceVersion: number; targetVersion?: number },
  choice = run.config.pgDump,
): Promise<PgDumpProgram> {
  const { config, machine } = run;
  const program = await stage(run, "find-pg-dump", () =>
    findPgDump({ choice, pgBin: config.pgBin, pathEnv: machine.path, platform: machine.platform, ...versions }),
  );
  if (program.note !== undefined) info(run, "pg-dump", program.note);
  if (program.warning !== undefined) warn(run, "pg-dump-old", program.warning);
  return program;
}
