import { PgdittoError } from "../../errors.ts";
import { withFacts } from "../../postgres/server-error.ts";
import { majorOf } from "../../postgres/version.ts";
import { clientPackage } from "../../schema/pg-dump/client-package.ts";
import { findPgRestore, type NativeProgram } from "../../schema/pg-dump/find-pg-restore.ts";
import { findProgram } from "../find-program.ts";
import type { Run } from "../run.ts";

/** The installed pg_dump that writes a dump folder. @throws PgdittoError `dump` naming the package, and the way that needs none. */
export async function findDumper(run: Run, versions: { sourceVersion: number; targetVersion?: number }): Promise<NativeProgram> {
  const program = await findProgram(run, versions, "native").catch((error: unknown) => {
    if (!(error instanceof PgdittoError) || error.code !== "dump") throw error;
    const install = `Install one: ${clientPackage(majorOf(versions.sourceVersion), run.machine.platform)}, or name its folder in PGDITTO_PG_BIN`;
    throw withFacts(error, { hint: `${install}. \`pgditto sync --via stream\`, the default, needs none.` });
  });
  if (program.path === undefined) throw new PgdittoError("internal", "A native pg_dump has no path.");
  return { ...program, path: program.path };
}

/** The pg_restore that reads what a pg_dump of this version has written. */
export async function findRestorer({ config, machine }: Run, archiveVersion: number): Promise<NativeProgram> {
  return await findPgRestore({ pgBin: config.pgBin, pathEnv: machine.path, platform: machine.platform, archiveVersion });
}
