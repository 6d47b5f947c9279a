import { PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import { majorOf } from "../../postgres/version.ts";
import { clientPackage } from "../../schema/pg-dump/client-package.ts";
import { findPgDump } from "../../schema/pg-dump/find-pg-dump.ts";
import { findPgRestore, type NativeProgram } from "../../schema/pg-dump/find-pg-restore.ts";
import { info, type Run, stage, warn } from "../run.ts";

/** The installed pg_dump that writes a dump folder. @throws PgdittoError `dump` naming the package, and the way that needs none. */
export async function findDumper(run: Run, versions: { sourceVersion: number; targetVersion?: number }): Promise<NativeProgram> {
  const { config, machine } = run;
  const { path: pathEnv, platform } = machine;
  const program = await stage(run, "find-pg-dump", () =>
    findPgDump({ choice: "native", pgBin: config.pgBin, pathEnv, platform, ...versions }),
  ).catch((error: unknown) => {
    if (!(error instanceof PgdittoError) || error.code !== "dump") throw error;
    const install = `Install one: ${clientPackage(majorOf(versions.sourceVersion), platform)}, or name its folder in PGDITTO_PG_BIN`;
    throw withFacts(error, { hint: `${install}. \`pgditto sync --via stream\`, the default, needs none.` });
  });
  if (program.path === undefined) throw new PgdittoError("internal", "A native pg_dump has no path.");
  if (program.note !== undefined) info(run, "pg-dump", program.note);
  if (program.warning !== undefined) warn(run, "pg-dump-old", program.warning);
  return { ...program, path: program.path };
}

/** The pg_restore that reads what a pg_dump of this version has written. */
export async function findRestorer({ config, machine }: Run, archiveVersion: number): Promise<NativeProgram> {
  return await findPgRestore({ pgBin: config.pgBin, pathEnv: machine.path, platform: machine.platform, archiveVersion });
}
