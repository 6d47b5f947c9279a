import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import path from "node:path";

import { PgdittoError } from "../../errors.ts";
import { parseVersion } from "../../postgres/version.ts";
import { candidateFolders } from "./candidate-folders.ts";
import { choosePgDump, type FoundPgDump, type PgDumpChoice } from "./choose-pg-dump.ts";
import type { PgDumpProgram } from "./pg-dump-program.ts";

/** Milliseconds that `pg_dump --version` may take; a hanging network drive on PATH must not hold up the run. */
const VERSION_LIMIT_MS = 5000;

export interface FindPgDumpOptions {
  choice: PgDumpChoice;
  /** PGDITTO_PG_BIN: the folder of a pg_dump, or the program itself. */
  pgBin?: string | undefined;
  /** PATH, as the environment has it. */
  pathEnv?: string | undefined;
  /** `process.platform`. */
  platform: string;
  /** As `SHOW server_version_num`: 150018. */
  sourceVersion: number;
  targetVersion?: number | undefined;
}

/**
 * The pg_dump to read the source with.
 * @throws PgdittoError `dump` when none suits, or PGDITTO_PG_BIN names none.
 */
export async function findPgDump(options: FindPgDumpOptions): Promise<PgDumpProgram> {
  return choosePgDump({ ...options, found: await findNative(options) });
}

/** Every installed pg_dump that runs. */
export async function findNative({
  choice,
  pgBin,
  pathEnv,
  platform,
}: Pick<FindPgDumpOptions, "choice" | "pgBin" | "pathEnv" | "platform">): Promise<FoundPgDump[]> {
  if (choice === "wasm") return [];
  if (platform === "win32") {
    // A native pg_dump talks to a Unix-domain socket of ours, which Node does not have there.
    if (choice === "auto") return [];
    throw new PgdittoError("dump", "A native pg_dump cannot be used on Windows.", {
      object: "pg_dump",
      hint: "Leave out --pg-dump native: the built-in one works.",
    });
  }
  const found = new Map<string, FoundPgDump>();
  const named = pgBin === undefined || pgBin === "" ? undefined : await inspectNamed(pgBin);
  if (named !== undefined) found.set(named.path, named);
  const folders = await candidateFolders(pathEnv ?? "");
  for (const one of await Promise.all(folders.map((folder) => inspect(path.join(folder, "pg_dump"))))) {
    if (one !== undefined && !found.has(one.path)) found.set(one.path, one);
  }
  return [...found.values()];
}

/** Debian's wrapper in /usr/bin picks a version by its own rules; what it would run lies in /usr/lib/postgresql/N/bin, where we look. */
const DEBIAN_WRAPPER = "pg_wrapper";

async function inspectNamed(pgBin: string): Promise<FoundPgDump | undefined> {
  const file = path.resolve(path.basename(pgBin) === "pg_dump" ? pgBin : path.join(pgBin, "pg_dump"));
  const one = await inspect(file);
  if (one !== undefined) return { ...one, named: true };
  if (path.basename(await realpath(file).catch(() => "")) === DEBIAN_WRAPPER) return undefined;
  throw new PgdittoError("dump", `PGDITTO_PG_BIN holds no pg_dump that runs: ${file}`, {
    object: "PGDITTO_PG_BIN",
    hint: "Name the folder that pg_dump lies in, or unset the variable.",
  });
}

async function inspect(file: string): Promise<FoundPgDump | undefined> {
  try {
    const real = await realpath(file);
    if (path.basename(real) === DEBIAN_WRAPPER) return undefined;
    const version = parseVersion(/\) (\d.*)/.exec(await versionOutput(real))?.[1] ?? "");
    return version === 0 ? undefined : { path: real, version, named: false };
  } catch {
    return undefined; // not there, not ours to run, or broken: as if it were not installed
  }
}

/** `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`. */
function versionOutput(file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: VERSION_LIMIT_MS, killSignal: "SIGKILL", env: { LC_ALL: "C" } } as const;
    execFile(file, ["--version"], limits, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}
