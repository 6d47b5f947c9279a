import { dirname } from "node:path";

import { PgdittoError } from "../../errors.ts";
import type { RelationSize } from "../../catalog/sizes.ts";
import { readDiskSpace } from "../../target/disks.ts";
import { formatBytes } from "../../util/format.ts";
import { type Run, warn } from "../run.ts";

/**
 * What pg_dump's files take of what the tables take: text is longer than rows on disk, and compressed it is a third to a tenth. Rows that are
 * compressed already (images) take about as much as on disk.
 */
const FACTOR = 0.5;
/** What would not fit if it were this small is refused; anything else is let go with a warning. */
const LEAST = 0.1;

/** Bytes that a dump of these is expected to take. */
export function expectedBytes(sizes: readonly RelationSize[]): number {
  return Math.round(bytesOf(sizes) * FACTOR);
}

function bytesOf(sizes: readonly RelationSize[]): number {
  return sizes.filter(({ index }) => !index).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** @throws PgdittoError `space` when the folder's disk cannot hold the dump; says so when it may not. */
export async function refuseSmallDisk(run: Run, folder: string, sizes: readonly RelationSize[]): Promise<void> {
  const free = await freeAt(folder);
  const expected = expectedBytes(sizes);
  if (free === undefined || free >= expected) return;
  const message = `The disk of the dump folder ${folder} has ${formatBytes(free)} free; the dump takes about ${formatBytes(expected)} (half of the tables' ${formatBytes(bytesOf(sizes))}).`;
  if (free >= bytesOf(sizes) * LEAST) {
    warn(
      run,
      "dump-space-tight",
      message,
      "It may fit where the rows compress well. If it does not, the run ends, and what was written is removed.",
    );
    return;
  }
  throw new PgdittoError("space", `${message} At least ${formatBytes(bytesOf(sizes) * LEAST - free)} are missing.`, {
    object: folder,
    hint: "Make room there, name a folder on a larger disk (DIR, or --dump-dir, DUMP_DIR), or leave tables out (--exclude-table).",
  });
}

/** Of the nearest folder above that is there. */
async function freeAt(folder: string): Promise<number | undefined> {
  for (let path = folder; ; path = dirname(path)) {
    const space = await readDiskSpace(path).catch(() => undefined);
    // a file system that is none of a disk has no size
    if (space) return space.total > 0 ? space.free : undefined;
    if (path === dirname(path)) return undefined;
  }
}
