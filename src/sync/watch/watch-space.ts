import { PgdittoError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { withFacts } from "../../postgres/server-error.ts";
import { describeDisk, type Disk, findDisks, readDiskSpace } from "../../target/disks.ts";
import { readWalFacts } from "../../target/wal.ts";
import { formatBytes } from "../../util/format.ts";
import { withinMs } from "../../util/wait.ts";
import { type GiveUp, repeat } from "./repeat.ts";
import type { Run } from "../run.ts";
import { mustStayFree } from "../preflight/space-need.ts";
import { isLocal } from "../copy/streams.ts";

/**
 * Milliseconds between two looks at a disk, which is a question to the system and not to the server: as long as the fastest disk takes to
 * fill what is left, within these bounds. 160 MB of WAL in half a second were measured, on two cores.
 */
const DISK_MS = { least: 25, most: 500 };
const FASTEST = 1024 ** 3 / 1000;
/** Milliseconds between two looks at the size of the staging database, for which the server looks at all of its files; and of its patience. */
const SIZE_MS = 1000;
const PATIENCE_MS = 60_000;

export interface SpaceWatch extends Disposable {
  /** Looks once more. @throws PgdittoError `space` */
  settle: () => Promise<void>;
}

/**
 * Looks at the target's disks, and at the size of the staging database if that is limited, as long as tasks run, and calls `give up`
 * before a disk is full: a full `pg_wal` stops the server with all its databases (measured). A look that fails is no reason to end a run.
 */
export async function watchSpace(
  run: Run,
  options: { control: Session; staging: string; tablespaces: readonly string[]; giveUp: GiveUp },
): Promise<SpaceWatch> {
  const { control, staging, giveUp } = options;
  const disks = isLocal(run.config.target.host, run.machine.hostname) ? await findDisks(control, options.tablespaces) : undefined;
  const segment = disks && disks.length > 0 ? (await readWalFacts(control)).segment : 0;
  const before = new Map<Disk, number>();
  /** Returns when to look again. */
  const lookAtDisk = async (disk: Disk, foresee: boolean): Promise<number> => {
    const space = await readDiskSpace(disk.path).catch(() => undefined);
    if (!space) return DISK_MS.most;
    const fell = Math.max(0, (before.get(disk) ?? space.free) - space.free);
    before.set(disk, space.free);
    const needed = mustStayFree(disk, space, segment);
    // twice what went since the last look, because the next one may come late and ending a copy takes time
    if (space.free - (foresee ? 2 * fell : 0) < needed) throw tooFull(disk, space.free, needed, foresee ? fell : 0);
    return Math.min(DISK_MS.most, Math.max(DISK_MS.least, (space.free - needed) / FASTEST));
  };
  const lookAtSize = async (): Promise<number> => {
    const limit = run.config.maxTargetSize;
    if (limit === undefined) return SIZE_MS;
    const question = control.query<{ bytes: number }>("SELECT pg_catalog.pg_database_size($1::pg_catalog.name)::float8 AS bytes", [
      staging,
    ]);
    const [row] = (await withinMs(PATIENCE_MS, question)) ?? [];
    if (row && row.bytes > limit) throw tooLarge(staging, row.bytes, limit);
    return SIZE_MS;
  };
  const timers = [
    ...(disks ?? []).map((disk) => repeat(() => lookAtDisk(disk, true), giveUp)),
    ...(run.config.maxTargetSize === undefined ? [] : [repeat(lookAtSize, giveUp)]),
  ];
  return {
    settle: async () => {
      await lookAtSize();
      for (const disk of disks ?? []) await lookAtDisk(disk, false);
    },
    [Symbol.dispose]: () => {
      for (const stop of timers) stop();
    },
  };
}

const LEFT = "The live target is as it was.";

function tooFull(disk: Disk, free: number, needed: number, fell: number): PgdittoError {
  const went = fell === 0 ? "" : `; ${formatBytes(fell)} went since the look before`;
  return new PgdittoError(
    "space",
    `The target's disk with ${describeDisk(disk)} is nearly full: ${formatBytes(free)} are free, and ${formatBytes(needed)} have to stay free${went}.`,
    {
      object: disk.path,
      side: "target",
      hint: `${LEFT} ${disk.wal ? "A full pg_wal would have stopped the whole server. " : ""}Make room there, and run again.`,
    },
  );
}

function tooLarge(staging: string, bytes: number, limit: number): PgdittoError {
  return new PgdittoError("space", `The copy has ${formatBytes(bytes)}, and --max-target-size is ${formatBytes(limit)}.`, {
    object: staging,
    side: "target",
    hint: `${LEFT} Raise --max-target-size, or leave tables out (--exclude-table).`,
  });
}

/** What the target's server says when a disk is full, as the error that a run ends with; any other error as it is. */
export function asSpaceError(error: PgdittoError): PgdittoError {
  if (error.sqlstate !== "53100" || error.side === "source" || error.code === "space") return error;
  return withFacts(error, { side: "target", hint: `The target's disk is full. ${LEFT} Make room there, and run again.` }, "space");
}
