import type { Session } from "../postgres/session.ts";

/** What the target's server has done so far, and the settings that decide what a load costs it. Read before and after. */
export interface TargetLoad {
  /** Bytes of WAL, of everybody's work. */
  wal: number;
  /** Checkpoints begun because somebody or something asked for one: `max_wal_size` was used up, or a CHECKPOINT. */
  requested: number;
  /** Milliseconds that checkpoints waited for the disk (fsync). */
  syncMs: number;
  /** When these counters began at zero; another one means that they cannot be compared. */
  since: string;
  maxWalSize: Setting;
  /** Seconds; and the part of it that a checkpoint takes its time for. */
  checkpointTimeout: number;
  completionTarget: number;
  maintenanceWorkMem: Setting;
  /** Processes that may help to build an index, and that may help at all. */
  maintenanceWorkers: number;
  parallelWorkers: number;
}

interface Setting {
  /** As the server shows it: `64MB`. */
  text: string;
  bytes: number;
}

interface Row {
  wal: string;
  requested: string;
  sync: number;
  since: string | null;
  walText: string;
  walBytes: string;
  timeout: number;
  target: number;
  memText: string;
  memBytes: string;
  maintenance: number;
  parallel: number;
}

/** One query on views that everybody may read, unless somebody has taken that away: then it throws `42501`. */
export async function readTargetLoad(session: Session, signal: AbortSignal): Promise<TargetLoad> {
  const checkpoints =
    session.serverVersion >= 170_000
      ? "SELECT num_requested AS requested, sync_time AS sync, stats_reset FROM pg_catalog.pg_stat_checkpointer"
      : "SELECT checkpoints_req AS requested, checkpoint_sync_time AS sync, stats_reset FROM pg_catalog.pg_stat_bgwriter";
  const [row] = await session.query<Row>(
    `
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint AS wal,
  c.requested, c.sync, c.stats_reset::text AS since,
  ${sized("max_wal_size", "wal")}, ${sized("maintenance_work_mem", "mem")},
  (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'checkpoint_timeout') AS timeout,
  pg_catalog.current_setting('checkpoint_completion_target')::float8 AS target,
  pg_catalog.current_setting('max_parallel_maintenance_workers')::int AS maintenance,
  pg_catalog.current_setting('max_parallel_workers')::int AS parallel
FROM (${checkpoints}) c`,
    [],
    signal,
  );
  if (!row) throw new Error("the server's statistics hold no row");
  return {
    wal: Number(row.wal),
    requested: Number(row.requested),
    syncMs: row.sync,
    since: row.since ?? "",
    maxWalSize: { text: row.walText, bytes: Number(row.walBytes) },
    checkpointTimeout: row.timeout,
    completionTarget: row.target,
    maintenanceWorkMem: { text: row.memText, bytes: Number(row.memBytes) },
    maintenanceWorkers: row.maintenance,
    parallelWorkers: row.parallel,
  };
}

function sized(setting: string, name: string): string {
  const value = `pg_catalog.current_setting('${setting}')`;
  return `${value} AS "${name}Text", pg_catalog.pg_size_bytes(${value}) AS "${name}Bytes"`;
}

/** The largest index of this database of a kind whose building takes memory, and what went through temporary files here so far. */
export interface BuiltIndex {
  schema: string;
  name: string;
  method: string;
  bytes: number;
  temporaryBytes: number;
}

export async function readLargestIndex(session: Session, signal: AbortSignal): Promise<BuiltIndex | undefined> {
  // relpages is written when an index is built; asking the files would be a call for each of them
  const [row] = await session.query<{ schema: string; name: string; method: string; bytes: string; temporary: string }>(
    `
SELECT n.nspname AS schema, c.relname AS name, a.amname AS method,
  c.relpages * pg_catalog.current_setting('block_size')::bigint AS bytes,
  (SELECT temp_bytes FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()) AS temporary
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_am a ON a.oid = c.relam
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND n.nspname !~ '^pg_' AND a.amname IN ('btree', 'hash', 'gist', 'gin')
ORDER BY c.relpages DESC LIMIT 1`,
    [],
    signal,
  );
  return row && { ...row, bytes: Number(row.bytes), temporaryBytes: Number(row.temporary) };
}
