import { open, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { refuse } from "../../config/origin.ts";
import { errnoOf } from "../../config/read-file.ts";

/**
 * Writes a new file, for its owner alone, and waits until it is on the disk.
 * @throws PgdittoError `usage` when there is a file of that name, or when it cannot be written.
 */
export async function saveScript(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
  } catch (error) {
    const errno = errnoOf(error);
    const why =
      errno === "EEXIST"
        ? "is there already, and is not overwritten"
        : errno === "ENOENT"
          ? "cannot be written: its folder does not exist"
          : `cannot be written (${errno})`;
    throw refuse(
      { code: "usage", name: "--save" },
      `${path} ${why}. Nothing was taken off.`,
      "Name a new file in a folder that you may write to.",
    );
  }
}

/** A name is on the disk when its folder is; not everywhere can a folder be opened for that. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
