import { access, constants } from "node:fs/promises";
import path from "node:path";

import { PgdittoError } from "../../errors.ts";
import { majorOf, versionTextOf } from "../../postgres/version.ts";
import type { FoundPgDump } from "./choose-pg-dump.ts";
import { clientPackage } from "./client-package.ts";
import { findNative, type FindPgDumpOptions } from "./find-pg-dump.ts";
import type { PgDumpProgram } from "./pg-dump-program.ts";

/** An installed program, which can write and read files. */
export type NativeProgram = PgDumpProgram & { path: string };

/**
 * The pg_restore that reads what a pg_dump of `archiveVersion` has written: of the same major version, else the next newer one, for it says
 * things to the server that an older one may not understand. It lies beside the pg_dump of its version.
 * @throws PgdittoError `dump` when there is none.
 */
export async function findPgRestore(
  options: Pick<FindPgDumpOptions, "pgBin" | "pathEnv" | "platform"> & { archiveVersion: number },
): Promise<NativeProgram> {
  const { archiveVersion, platform } = options;
  const there = await Promise.all((await findNative({ ...options, choice: "native" })).map(besidePgDump));
  const suitable = there
    .filter((one) => one !== undefined)
    .filter((one) => majorOf(one.version) >= majorOf(archiveVersion))
    .toSorted((a, b) => Number(b.named) - Number(a.named) || majorOf(a.version) - majorOf(b.version) || b.version - a.version);
  const [best] = suitable;
  if (best) return { name: "pg_restore", kind: "native", path: best.path, version: best.version, versionText: versionTextOf(best.version) };
  throw new PgdittoError("dump", `No pg_restore is installed that reads what pg_dump ${versionTextOf(archiveVersion)} writes.`, {
    object: "pg_restore",
    hint: `Install one: ${clientPackage(majorOf(archiveVersion), platform)}, or name its folder in PGDITTO_PG_BIN.`,
  });
}

async function besidePgDump(found: FoundPgDump): Promise<FoundPgDump | undefined> {
  const file = path.join(path.dirname(found.path), "pg_restore");
  const runs = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  return runs ? { ...found, path: file } : undefined;
}
