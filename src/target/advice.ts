import type { Advice } from "../events.ts";
import { displayName } from "../postgres/quote.ts";
import { formatBytes, formatDuration, plural } from "../util/format.ts";
import type { BuiltIndex, TargetLoad } from "./load.ts";

const MB = 1024 ** 2;
const GB = 1024 ** 3;

/** Smaller and shorter runs get no advice: whatever the settings, there are only seconds to be saved. */
export const SMALL = { bytes: 256 * MB, ms: 30_000 };

/** What the run did between the two readings. */
export interface LoadWork {
  /** Of rows, as they came in. */
  bytes: number;
  ms: number;
  /** Milliseconds of all index builds, one after the other. */
  buildMs: number;
  /** So many connections built beside each other. */
  connections: number;
  largest: BuiltIndex | undefined;
}

/** The settings that cost this load time, as far as two readings of the server tell. Pure. */
export function adviseSettings(before: TargetLoad, after: TargetLoad, work: LoadWork, small = SMALL): Advice[] {
  if (work.bytes < small.bytes || work.ms < small.ms) return [];
  return [walAdvice(before, after, work), memoryAdvice(after, work), workersAdvice(after, work)].filter((advice) => advice !== undefined);
}

/** Fewer than these are no pattern: before PostgreSQL 15 creating the database asks for two, which may be counted late. */
const MIN_CHECKPOINTS = 3;
/** More than this nobody keeps free for WAL. */
const MOST_WAL = 64 * GB;

/**
 * A checkpoint is forced each time that the WAL since the last one reaches max_wal_size / (1 + checkpoint_completion_target) (xlog.c,
 * CalculateCheckpointSegments). Those that other causes asked for are left out by counting no more than the WAL explains.
 */
function walAdvice(before: TargetLoad, after: TargetLoad, work: LoadWork): Advice | undefined {
  const wal = after.wal - before.wal;
  const room = 1 + after.completionTarget;
  const forced = Math.min(after.requested - before.requested, Math.floor((wal * room) / after.maxWalSize.bytes));
  if (after.since !== before.since || forced < MIN_CHECKPOINTS) return undefined;
  // with enough room the next checkpoint is the one that comes with time
  const untilTimed = Math.min(wal, (wal / work.ms) * 1000 * after.checkpointTimeout);
  const better = Math.min(roundUp(untilTimed * room), MOST_WAL);
  if (better <= after.maxWalSize.bytes) return undefined;
  const instead = better >= untilTimed * room ? 0 : Math.floor((wal * room) / better);
  const again = after.fullPageWrites
    ? "; and a page that changes again behind one goes whole into the WAL once more (full_page_writes)"
    : "";
  return {
    setting: "max_wal_size",
    value: after.maxWalSize.text,
    better: settingText(better),
    message:
      `${plural(forced, "checkpoint")} were forced in ${formatDuration(work.ms)}, while ${formatBytes(work.bytes)} of rows came in and ${formatBytes(wal)} ` +
      `of WAL was written (by everybody: other work on this server counts too). Checkpoints wrote ${formatBytes(after.checkpointBytes - before.checkpointBytes)} ` +
      `to the data files${again}. With ${settingText(better)} ${instead === 0 ? "none" : String(instead)} would have been forced.`,
    fix: `As a superuser: ALTER SYSTEM SET max_wal_size = '${settingText(better)}'; SELECT pg_reload_conf(); pg_wal grows up to that, so the disk needs the room.`,
  };
}

/** An index that is smaller is built in seconds with any setting. */
const LARGE_INDEX = 256 * MB;
/** As long as builds take less than this together, nothing can be gained. */
const MIN_BUILD_MS = 10_000;
/** Sorting gains little from more, and each build at the same time may take as much. */
const MOST_MEMORY = GB;

function memoryAdvice(after: TargetLoad, work: LoadWork): Advice | undefined {
  const { largest, buildMs, connections } = work;
  const { bytes: has, text } = after.maintenanceWorkMem;
  if (!largest || largest.bytes < LARGE_INDEX || buildMs < MIN_BUILD_MS || largest.bytes < 2 * has) return undefined;
  // a sort that spills says so; GIN spills into the index itself
  if (largest.method !== "gin" && largest.temporaryBytes < largest.bytes / 2) return undefined;
  const better = Math.min(roundUp(largest.bytes), MOST_MEMORY);
  if (better < 2 * has) return undefined;
  const spilled = largest.temporaryBytes === 0 ? "" : `, and ${formatBytes(largest.temporaryBytes)} went through temporary files`;
  return {
    setting: "maintenance_work_mem",
    value: text,
    better: settingText(better),
    message:
      `Building indexes took ${formatDuration(buildMs)} of work in all. The largest, ${displayName(largest.schema, largest.name)}, has ${formatBytes(largest.bytes)}; ` +
      `it was built with ${text} of memory${spilled}.`,
    fix:
      `As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET maintenance_work_mem = '${settingText(better)}'; up to ` +
      `${plural(connections, "build")} at the same time may take that much each.`,
  };
}

function workersAdvice(after: TargetLoad, work: LoadWork): Advice | undefined {
  const { largest, buildMs } = work;
  if (largest?.method !== "btree" || largest.bytes < LARGE_INDEX || buildMs < MIN_BUILD_MS) return undefined;
  const built = `Building indexes took ${formatDuration(buildMs)} of work in all, and no build had a second process. The largest, ${displayName(largest.schema, largest.name)}, has ${formatBytes(largest.bytes)}.`;
  const gain = "Where the server has idle processors, helpers share the sort of a large index.";
  if (after.parallelWorkers === 0)
    return {
      setting: "max_parallel_workers",
      value: "0",
      better: "8",
      message: `${built} ${gain}`,
      fix: "As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET max_parallel_workers = 8; that is PostgreSQL's default.",
    };
  if (after.maintenanceWorkers > 0) return undefined;
  return {
    setting: "max_parallel_maintenance_workers",
    value: "0",
    better: "2",
    message: `${built} ${gain}`,
    fix: "As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET max_parallel_maintenance_workers = 2; that is PostgreSQL's default.",
  };
}

/** The next power of two, in bytes. */
function roundUp(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(bytes, MB)));
}

/** A power of two as a setting is written. */
function settingText(bytes: number): string {
  return bytes >= GB ? `${bytes / GB}GB` : `${bytes / MB}MB`;
}
