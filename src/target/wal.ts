import type { Session } from "../postgres/session.ts";

/** How the target's server treats its WAL. Sizes in bytes. */
export interface WalFacts {
  segment: number;
  /** `max_wal_size`: above it the server makes room by a checkpoint, if nobody needs the WAL any more. */
  most: number;
  /** What is in `pg_wal` now; 0 where the role may not look. */
  present: number;
  /** Why WAL may stay however much there is: an archive that fails, a slot that nobody reads. */
  keptFor: string | undefined;
}

export async function readWalFacts(control: Session): Promise<WalFacts> {
  const [row] = await control.query<{ segment: string; most: string; may: boolean; slots: string | null; failing: boolean }>(`
SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS segment,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS most,
  pg_catalog.has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE') AS may,
  (SELECT pg_catalog.string_agg(slot_name::text, ', ' ORDER BY slot_name) FROM pg_catalog.pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL) AS slots,
  (SELECT pg_catalog.current_setting('archive_mode') <> 'off' AND COALESCE(last_failed_time > COALESCE(last_archived_time, '-infinity'), false)
     FROM pg_catalog.pg_stat_archiver) AS failing`);
  if (!row) throw new Error("the server told nothing of its WAL");
  const [there] = row.may ? await control.query<{ bytes: number }>(SUM) : [];
  return {
    segment: Number(row.segment),
    most: Number(row.most),
    present: there?.bytes ?? 0,
    keptFor:
      row.slots === null ? (row.failing ? "its archiving, which fails" : undefined) : `replication slots that nobody reads: ${row.slots}`,
  };
}

const SUM = "SELECT COALESCE(sum(size), 0)::float8 AS bytes FROM pg_catalog.pg_ls_waldir()";
