import { join } from "node:path";

import { PgdittoError } from "../../errors.ts";
import type { Run } from "../run.ts";

/** How the folders' names begin that no option names, in the current folder. */
export const FOLDER_PREFIX = "migration_dumps_";

/** The folder that rows go through: as the original script names it, by local time. */
export function folderOf({ config, machine }: Run): string {
  if (config.dumpDir !== undefined) return config.dumpDir;
  if (machine.cwd === undefined) {
    throw new PgdittoError("usage", "No dump folder is named, and no current folder to make one in.", {
      object: "dumpDir",
      hint: "Pass dumpDir, or cwd.",
    });
  }
  return join(machine.cwd, `${FOLDER_PREFIX}${timestamp(new Date())}`);
}

/** `20260315_021500` */
function timestamp(now: Date): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}_${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
