import type { Plan } from "../../plan/build-plan.ts";
import { LARGE_TABLE } from "../../plan/copies.ts";
import { majorOf } from "../../postgres/version.ts";
import { runPgDump } from "../../schema/pg-dump/run-pg-dump.ts";
import { type CarriedStatistics, parseStatistics } from "../../schema/statistics.ts";
import { asPgdittoError } from "../../errors.ts";
import { type Opened, openSource } from "../open.ts";
import type { SourceContents } from "../read-source.ts";
import { info, type Run } from "../run.ts";

/** Another pg_dump costs more than ANALYZE of a few tables. */
const WORTH_IT = 8;

/**
 * Reads the source's statistics in the run's snapshot, once, when they are first asked for: with PostgreSQL 18 on the target and a
 * pg_dump of 18, and enough large tables for it to pay. What cannot be read is analyzed.
 */
export function sourceStatistics(
  run: Run,
  { control }: Opened,
  contents: SourceContents,
  plan: Plan,
): (() => Promise<CarriedStatistics>) | undefined {
  const large = plan.copied.filter((table) => table.bytes >= LARGE_TABLE).length;
  if (large < WORTH_IT || majorOf(control.serverVersion) < 18 || majorOf(contents.program.version) < 18) return undefined;
  let reading: Promise<CarriedStatistics> | undefined;
  const read = async (): Promise<CarriedStatistics> => {
    const args = ["--verbose", "--statistics-only", "--encoding=UTF8", `--snapshot=${contents.snapshot}`];
    try {
      return parseStatistics(
        await runPgDump({ program: contents.program, connect: () => openSource(run, "statistics"), args, signal: run.signal }),
      );
    } catch (error) {
      const failure = asPgdittoError(error);
      if (failure.code === "cancelled") throw failure;
      info(run, "statistics-not-read", `The source's statistics could not be read (${failure.message}): tables are analyzed instead.`);
      return () => undefined;
    }
  };
  return () => (reading ??= read());
}
