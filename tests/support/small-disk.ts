import { execFile } from "node:child_process";
import { chown, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findRunUser, findTemporaryRoot } from "../../src/demo/run-user.ts";

const run = promisify(execFile);

/** A disk of its own, in memory, that belongs to the account the servers run as. */
export interface SmallDisk extends AsyncDisposable {
  path: string;
  /** Writes a file that leaves so many bytes free. */
  fillTo: (free: number) => Promise<void>;
  /** Bytes, when it is empty. */
  size: number;
}

/** Undefined where this process may not mount: it takes root and CAP_SYS_ADMIN. */
export async function smallDisk(megabytes: number): Promise<SmallDisk | undefined> {
  const user = await findRunUser();
  const path = await mkdtemp(join(await findTemporaryRoot(user), "small-disk-"));
  const mounted = await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700`, "tmpfs", path]).then(
    () => true,
    () => false,
  );
  if (!mounted) {
    await rm(path, { recursive: true, force: true });
    return undefined;
  }
  if (user) await chown(path, user.uid, user.gid);
  const free = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  };
  return {
    path,
    size: megabytes * 1024 ** 2,
    fillTo: async (left) => {
      const filler = join(path, "filler");
      await rm(filler, { force: true });
      // others write at the same time: full is full
      await writeFile(filler, Buffer.alloc(Math.max(0, (await free()) - left))).catch((error: unknown) => {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      });
    },
    async [Symbol.asyncDispose]() {
      // a server that is just ending may hold it for a moment more
      await run("umount", ["-l", path]);
      await rm(path, { recursive: true, force: true });
    },
  };
}

export const NO_MOUNT = "a disk of its own cannot be mounted here: that takes root and CAP_SYS_ADMIN";
