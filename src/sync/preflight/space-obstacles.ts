import type { Obstacle } from "../../errors.ts";
import { describeDisk, type Disk, type DiskSpace, readDiskSpace } from "../../target/disks.ts";
import { findLeftovers } from "../../target/leftovers.ts";
import { formatBytes } from "../../util/format.ts";
import type { Opened } from "../open.ts";
import { info, type Run, warn } from "../run.ts";
import { diskNeed, type DiskNeed, mustStayFree, type SpaceNeed, spaceNeed } from "./space-need.ts";
import { readTargetSpace, type SourceSpace, type TargetSpace } from "./target-space.ts";

/**
 * A copy has none of the source's bloat, and nobody knows how much that is. What would fit if it were half is let go with a
 * warning, and watched; what would not is refused.
 */
const BLOAT = 0.5;

type Ends = Pick<Opened, "control" | "existing">;

/** Whether the copy will find room on the target. Says so where that cannot be looked at, or only just fits. */
export async function spaceObstacles(run: Run, opened: Ends, from: SourceSpace): Promise<Obstacle[]> {
  const space = await readTargetSpace(run, opened.control, from);
  const { bytes } = from;
  if (space.wal.keptFor !== undefined && bytes > space.wal.most) {
    warn(
      run,
      "wal-kept",
      `The target keeps all WAL of the copy in pg_wal, beyond max_wal_size, for ${space.wal.keptFor}.`,
      "A full pg_wal stops the whole server: mend or drop that first.",
    );
  }
  if (!space.disks) {
    const limit = run.config.maxTargetSize === undefined ? " --max-target-size sets a limit." : "";
    info(run, "space-not-seen", `The free space of the target's disks cannot be seen from here.${limit}`);
  }
  const disks = await Promise.all((space.disks ?? []).map(async (disk) => ({ disk, there: await readDiskSpace(disk.path) })));
  const inPlenty = disks.every(({ disk, there }) => there.free >= PLENTY * bytes + mustStayFree(disk, there, space.wal.segment));
  if (inPlenty && (run.config.maxTargetSize ?? Number.POSITIVE_INFINITY) >= bytes) return [];
  const need = spaceNeed({ sizes: await from.sizes(), tablespace: space.tablespace, noTablespaces: run.config.noTablespaces });
  return [...limitObstacles(run, need), ...diskObstacles(run, opened, disks, { ...space, need, given: await givenBack(run, opened) })];
}

/** Times the whole source, no disk can be asked for more: all of its tables and indexes, a sort as large, and 1.1 times that as WAL. */
const PLENTY = 3.1;

function limitObstacles(run: Run, need: SpaceNeed): Obstacle[] {
  const limit = run.config.maxTargetSize;
  if (limit === undefined || need.database <= limit) return [];
  const message = `The copy needs about ${formatBytes(need.database)}, and --max-target-size is ${formatBytes(limit)}.`;
  if (need.database * (1 - BLOAT) <= limit) {
    warn(run, "space-tight", `${message} It may fit without the source's bloat: the run is ended if it does not.`);
    return [];
  }
  return [{ code: "no-space", side: "target", message, fix: "Raise --max-target-size, or leave tables out (--exclude-table)." }];
}

function diskObstacles(
  run: Run,
  opened: Ends,
  disks: ReadonlyArray<{ disk: Disk; there: DiskSpace }>,
  space: TargetSpace & { need: SpaceNeed; given: number },
): Obstacle[] {
  const found: Obstacle[] = [];
  for (const { disk, there } of disks) {
    const needs = diskNeed(disk, there, space);
    // where the databases that go are: in the default tablespace, as far as anybody can tell
    const back = disk.tablespaces.includes(space.tablespace) ? space.given : 0;
    const free = there.free + back;
    const sum = needs.data + needs.sort + needs.wal + needs.reserve;
    if (sum <= free) continue;
    const freed = back === 0 ? "" : `, and ${formatBytes(back)} more when old databases are dropped`;
    const message = `The target's disk with ${describeDisk(disk)} has ${formatBytes(there.free)} free${freed}; the copy needs about ${formatBytes(sum)}: ${listed(needs)}.`;
    if (sum - BLOAT * (needs.data + needs.sort + needs.wal) <= free) {
      warn(run, "space-tight", `${message} It may fit without the source's bloat: the run is ended before the disk is full.`);
      continue;
    }
    found.push({ code: "no-space", side: "target", message, fix: fix(run, opened, space, disk.wal && needs.wal > needs.data) });
  }
  return found;
}

function listed({ data, sort, wal, reserve }: DiskNeed): string {
  const parts: Array<[number, string]> = [
    [data, "for tables and indexes"],
    [sort, "to sort the largest index"],
    [wal, "for WAL"],
    [reserve, "that stay free"],
  ];
  return parts
    .filter(([bytes]) => bytes > 0)
    .map(([bytes, what]) => `${formatBytes(bytes)} ${what}`)
    .join(", ");
}

function fix(run: Run, { existing }: Ends, { wal }: TargetSpace, walIsMost: boolean): string {
  if (walIsMost && wal.keptFor !== undefined) return `Its WAL is kept for ${wal.keptFor}: mend or drop that.`;
  if (walIsMost) return "Make room there, or lower max_wal_size.";
  const instead = existing && run.config.mode === "staging" ? ", or use --mode recreate, which drops the old database first" : "";
  return `Make room there, leave tables out (--exclude-table)${instead}.`;
}

/** Bytes that go before the copy comes, or are part of it when it goes on: staging databases of dead runs and of this one; with `--mode recreate` the target. */
async function givenBack(run: Run, { control, existing }: Ends): Promise<number> {
  const left = await findLeftovers(control, run.config.target.database);
  const dead = left.filter((one) => !one.alive || one.run === run.id).reduce((sum, { bytes }) => sum + bytes, 0);
  if (run.config.mode !== "recreate" || !existing) return dead;
  const [row] = await control.query<{ bytes: number }>(
    "SELECT pg_catalog.pg_database_size(oid)::float8 AS bytes FROM pg_catalog.pg_database WHERE oid = $1 AND pg_catalog.has_database_privilege(oid, 'CONNECT')",
    [existing.oid],
  );
  return dead + (row?.bytes ?? 0);
}
