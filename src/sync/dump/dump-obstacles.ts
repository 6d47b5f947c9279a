import { lstat } from "node:fs/promises";

import { type Obstacle, PgdittoError } from "../../errors.ts";
import type { Opened } from "../open.ts";
import { readSourceSpace } from "../preflight/target-space.ts";
import type { Run } from "../run.ts";
import { refuseUsed } from "./dump-folder.ts";
import { findDumper, findRestorer } from "./find-programs.ts";
import { refuseSmallDisk } from "./folder-space.ts";
import { folderOf } from "./name-folder.ts";

/** What stands in the way of `--via dump` beside the two databases, for those who only look. */
export async function dumpObstacles(run: Run, { source, control, sourceIdentity }: Opened): Promise<Obstacle[]> {
  if (run.config.via !== "dump") return [];
  const folder = folderOf(run);
  const checks: Array<[string, () => Promise<unknown>]> = [
    [
      "no-client-programs",
      async () => {
        const dumper = await findDumper(run, { sourceVersion: source.serverVersion, targetVersion: control.serverVersion });
        await findRestorer(run, dumper.version);
      },
    ],
    [
      "dump-folder-used",
      async () => {
        const there = await lstat(folder).catch(() => undefined);
        if (there) await refuseUsed(folder);
      },
    ],
    [
      "no-space",
      async () => {
        const { sizes } = await readSourceSpace(run, source, sourceIdentity.bytes);
        await refuseSmallDisk(run, folder, await sizes());
      },
    ],
  ];
  const found: Obstacle[] = [];
  for (const [code, check] of checks) {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof PgdittoError) || error.code === "cancelled") throw error;
      found.push({ code, side: "source", message: error.message, fix: error.hint ?? "" });
    }
  }
  return found;
}
