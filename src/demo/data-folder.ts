import { execFile } from "node:child_process";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PgdittoError } from "../errors.ts";
import type { ServerBinaries } from "./binaries.ts";
import { findTemporaryRoot, type RunUser } from "./run-user.ts";

const run = promisify(execFile);

/** A fresh folder of mode 0700 that belongs to the account the server runs as. */
export async function createClusterFolder(user: RunUser | undefined): Promise<string> {
  const folder = await mkdtemp(join(await findTemporaryRoot(user), "pgditto-cluster-"));
  if (user) await chown(folder, user.uid, user.gid);
  return folder;
}

export interface InitdbOptions {
  binaries: ServerBinaries;
  user: RunUser | undefined;
  folder: string;
  superuser: string;
  password: string;
  auth: "trust" | "scram-sha-256";
  initdbArgs: readonly string[];
  signal?: AbortSignal | undefined;
}

/** Runs `initdb` for `<folder>/data`; not every system has the locale C.UTF-8, so C is the second try. */
export async function initializeData(options: InitdbOptions): Promise<string> {
  const { binaries, user, folder, auth, superuser } = options;
  const dataDir = join(folder, "data");
  const passwordFile = join(folder, "password");
  // initdb takes a password from a file only, and refuses scram-sha-256 without one.
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  const fixed = ["-D", dataDir, "-U", superuser, "-E", "UTF8", "-A", auth, "-N", "--lc-messages=C"];
  if (options.password !== "") fixed.push("--pwfile", passwordFile);
  const initdb = join(binaries.binDir, platform() === "win32" ? "initdb.exe" : "initdb");
  const attempt = (locale: string[]) =>
    run(initdb, [...fixed, ...locale, ...options.initdbArgs], {
      env: binaries.env,
      cwd: folder,
      timeout: 120_000,
      ...(options.signal && { signal: options.signal }),
      ...(user && { uid: user.uid, gid: user.gid }),
    });
  try {
    await attempt(["--locale=C.UTF-8"]).catch(async () => {
      options.signal?.throwIfAborted();
      await rm(dataDir, { recursive: true, force: true });
      await attempt(["--locale=C"]);
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new PgdittoError("server", `initdb of PostgreSQL ${binaries.version} failed`, {
      cause: error,
      detail: stderrOf(error),
      object: dataDir,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
  return dataDir;
}

function stderrOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("stderr" in error)) return undefined;
  return String(error.stderr).trim() || error.message;
}
