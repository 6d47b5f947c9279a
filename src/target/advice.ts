import type { Advice } from "../events.ts";
import { displayName } from "../postgres/quote.ts";
import { formatBytes, formatDuration, plural } from "../util/format.ts";
import type { BuiltIndex, TargetLoad } from "./load.ts";

const KB = 1024;
const MB = 1024 ** 2;
const GB = 1024 ** 3;

/** Smaller and shorter runs get no advice: whatever the settings, there are only seconds to be saved. */
export const SMALL = { bytes: 256 * MB, ms: 30_000 };

/** What the run did between the two readings. */
export interface LoadWork {
  /** Of rows, as they came in. */
  bytes: number;
  ms: number;
  /** Milliseconds of all index builds, one after the other, and of the longest one. */
  buildMs: number;
  longestBuildMs: number;
  /** So many connections built beside each other. */
  connections: number;
  largest: BuiltIndex | undefined;
}

/** The settings that cost this load time, as far as two readings of the server tell. Pure. */
export function adviseSettings(before: TargetLoad, after: TargetLoad, work: LoadWork): Advice[] {
  if (work.bytes < SMALL.bytes || work.ms < SMALL.ms) return [];
  return [walAdvice(before, after, work), memoryAdvice(after, work), workersAdvice(after, work)].filter((advice) => advice !== undefined);
}

/** Fewer than these are no pattern: before PostgreSQL 15 creating the database asks for two, which may be counted late. */
const MIN_CHECKPOINTS = 3;
/**
 * Checkpoints alone cost a load little: its tables are new and its indexes built at the end, so no page changes again, and 18 of them wrote
 * the same 1,529 MB of WAL as one did (measured). What can cost is a disk that they keep busy: this share of the run's time.
 */
const SYNC_SHARE = 0.2;
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
  const syncMs = after.syncMs - before.syncMs;
  if (after.since !== before.since || forced < MIN_CHECKPOINTS || syncMs < work.ms * SYNC_SHARE) return undefined;
  // with enough room the next checkpoint is the one that comes with time
  const untilTimed = Math.min(wal, (wal / work.ms) * 1000 * after.checkpointTimeout);
  const better = Math.min(roundUp(untilTimed * room), MOST_WAL);
  if (better <= after.maxWalSize.bytes) return undefined;
  const instead = better >= untilTimed * room ? 0 : Math.floor((wal * room) / better);
  return {
    setting: "max_wal_size",
    value: after.maxWalSize.text,
    better: settingText(better),
    message:
      `${plural(forced, "checkpoint")} were forced in ${formatDuration(work.ms)}, while ${formatBytes(work.bytes)} of rows came in and ${formatBytes(wal)} ` +
      `of WAL was written (by everybody: other work on this server counts too). They kept the disk busy with fsync for ${formatDuration(syncMs)}. ` +
      `With ${settingText(better)} ${instead === 0 ? "none" : String(instead)} would have been forced.`,
    fix: `As a superuser: ALTER SYSTEM SET max_wal_size = '${settingText(better)}'; SELECT pg_reload_conf(); pg_wal grows up to that, so the disk needs the room.`,
  };
}

/** An index that is smaller is built in seconds with any setting. */
const LARGE_INDEX = 256 * MB;
/** As long as the longest build takes less than this, or than this share of the run, little can be gained. */
const MIN_BUILD_MS = 10_000;
const BUILD_SHARE = 0.1;

/** The largest index, where building indexes took long enough to think about. */
function worthwhile({ largest, longestBuildMs, ms }: LoadWork): BuiltIndex | undefined {
  return largest && largest.bytes >= LARGE_INDEX && longestBuildMs >= Math.max(MIN_BUILD_MS, ms * BUILD_SHARE) ? largest : undefined;
}

/** More memory than this no build needs, and each of those at the same time may take as much. */
const MOST_MEMORY = GB;

/**
 * A sort that spills and is merged in one pass is the fastest: with all of it in memory a B-tree of 180 MB took 40 % more CPU, with more
 * passes 10 to 20 % more (measured). So the least that makes one pass of it is the advice, and never more.
 */
function memoryAdvice(after: TargetLoad, work: LoadWork): Advice | undefined {
  const largest = worthwhile(work);
  if (!largest) return undefined;
  const has = after.maintenanceWorkMem;
  const gin = largest.method === "gin";
  const isEnough = (memory: number): boolean => (gin ? memory * GIN_SHARE >= largest.bytes : mergedAtOnce(memory) >= largest.bytes);
  // a sort that spills leaves temporary files, denser than the index will be; GIN spills into the index itself
  const spilled = gin || largest.temporaryBytes >= largest.bytes / 4;
  if (!spilled || isEnough(has.bytes)) return undefined;
  let better = roundUp(has.bytes);
  while (!isEnough(better) && better < MOST_MEMORY) better *= 2;
  if (better <= has.bytes) return undefined;
  const how = gin
    ? `GIN gathers entries in ${has.text} of memory and merges them into the index each time that it is full.`
    : `Its sort wrote temporary files and merged them in more than one pass: ${has.text} of memory merges ${formatBytes(mergedAtOnce(has.bytes))} in one.`;
  return {
    setting: "maintenance_work_mem",
    value: has.text,
    better: settingText(better),
    message: `${built(largest, work)} ${how}`,
    fix:
      `As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET maintenance_work_mem = '${settingText(better)}';` +
      (work.connections > 1 ? ` each of up to ${work.connections} builds at the same time may take that much.` : ""),
  };
}

/** With a tenth of the index's size GIN took 40 % more CPU than with more than it (measured; manual, "GIN Tips and Tricks"). */
const GIN_SHARE = 8;

/** Bytes that one pass merges: as many runs of the memory's size as buffers of 272 kB fit into it, 6 to 500 (tuplesort.c, MERGE_BUFFER_SIZE). */
function mergedAtOnce(memory: number): number {
  return memory * Math.min(500, Math.max(6, Math.floor(memory / (272 * KB))));
}

function workersAdvice(after: TargetLoad, work: LoadWork): Advice | undefined {
  const largest = worthwhile(work);
  if (largest?.method !== "btree" || (after.parallelWorkers > 0 && after.maintenanceWorkers > 0)) return undefined;
  const [setting, better] = after.parallelWorkers === 0 ? ["max_parallel_workers", "8"] : ["max_parallel_maintenance_workers", "2"];
  return {
    setting,
    value: "0",
    better,
    message: `${built(largest, work)} No build had a second process. Where the server has idle processors, helpers share the sort of a large index.`,
    fix: `As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET ${setting} = ${better}; that is PostgreSQL's default.`,
  };
}

function built({ schema, name, bytes }: BuiltIndex, { buildMs, longestBuildMs }: LoadWork): string {
  return (
    `Building indexes took ${formatDuration(buildMs)} of work in all, the longest ${formatDuration(longestBuildMs)}. ` +
    `The largest, ${displayName(schema, name)}, has ${formatBytes(bytes)}.`
  );
}

/** The next power of two, in bytes. */
function roundUp(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(bytes, MB)));
}

/** A power of two as a setting is written. */
function settingText(bytes: number): string {
  return bytes >= GB ? `${bytes / GB}GB` : `${bytes / MB}MB`;
}
