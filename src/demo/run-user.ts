import { execFile } from "node:child_process";
import { lstat, stat } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { PgdittoError } from "../errors.ts";

const run = promisify(execFile);

/** The account a server runs as; `undefined` where it is simply the account of this process. */
export interface RunUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root (manual, 18.1 "The PostgreSQL User Account"). Root therefore runs it as `postgres`,
 * and where there is no such account as `nobody`; everybody else runs it as himself.
 */
export async function findRunUser(): Promise<RunUser | undefined> {
  if (ownUid() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const uid = await lookUp("-u", name);
    const gid = await lookUp("-g", name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, uid, gid };
  }
  throw new PgdittoError("preflight", "PostgreSQL cannot run as root, and neither postgres nor nobody is an account of this machine", {
    hint: "Start pgditto as another user, or create one: useradd --system postgres",
  });
}

/** The folder for temporary files that `user` can reach too: a private TMPDIR of root's is of no use to the server. */
export async function findTemporaryRoot(user: RunUser | undefined): Promise<string> {
  const candidates = [tmpdir(), "/tmp", "/var/tmp"];
  if (user === undefined) return tmpdir();
  for (const folder of candidates) {
    if (await canReach(folder, user)) return folder;
  }
  throw new PgdittoError("preflight", `the user ${user.name} can reach none of the folders for temporary files: ${candidates.join(", ")}`, {
    hint: "Set TMPDIR to a folder that every user may enter.",
  });
}

/** True where nobody but us (or root) can have put `path` there: it is ours, not a link, and writable by nobody else. */
export async function isOwnFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) return false;
  const uid = ownUid();
  return uid === undefined || (found.uid === uid && (found.mode & 0o022) === 0);
}

/** The numeric user id of this process; undefined on Windows and for an id without a name. */
function ownUid(): number | undefined {
  try {
    const { uid } = userInfo();
    return uid < 0 ? undefined : uid;
  } catch {
    return undefined;
  }
}

/** Every folder on the way down needs its x bit for that user. */
async function canReach(folder: string, user: RunUser): Promise<boolean> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return false;
    const bit = found.uid === user.uid ? 0o100 : found.gid === user.gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

async function lookUp(flag: "-u" | "-g", name: string): Promise<number | undefined> {
  const output = await run("id", [flag, name]).then(
    ({ stdout }) => Number(stdout.trim()),
    () => undefined,
  );
  return Number.isInteger(output) ? output : undefined;
}
