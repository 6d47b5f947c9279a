import type { Pace } from "../../copy/pace.ts";
import { type Obstacle, PgdittoError, type Side } from "../../errors.ts";
import { displayIdent } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { formatBytes, formatDuration } from "../../util/format.ts";
import { withinMs } from "../../util/wait.ts";
import { type GiveUp, repeat } from "./repeat.ts";
import type { Opened } from "../open.ts";
import { info, type Run, warn } from "../run.ts";

/** Milliseconds between two looks, and of patience with the server. */
const LOOK_MS = 1000;
const PATIENCE_MS = 10_000;
/** Copies go on when the lag has come down to this part of the limit: otherwise they would stop and go every second. */
const GO_ON = 0.5;

interface Lag {
  /** `standby a of the target`, `the source, which is a standby`. */
  who: string;
  side: Side;
  bytes: number;
}

/**
 * Holds copies back while a standby lags too far behind: one of the target, because the copy is what it has to replay; one of the source;
 * and the source itself when it is a standby. Counted in bytes of WAL: seconds are not known of a standby whose replay stands still.
 * A lag that does not come down within `--stall-timeout` ends the run.
 */
export function watchLag(run: Run, opened: Pick<Opened, "source" | "control">, pace: Pace, giveUp: GiveUp): Disposable {
  const limit = run.config.maxReplicationLag;
  if (limit === undefined) return { [Symbol.dispose]: () => {} };
  const stallMs = run.config.stallTimeout * 1000;
  let paused: { since: number; least: number; at: number } | undefined;
  let over = false;

  const look = async (): Promise<number> => {
    const lags = (await Promise.all([opened.source, opened.control].map((session) => withinMs(PATIENCE_MS, readLags(session))))).flatMap(
      (found) => found ?? [],
    );
    const [worst] = lags.toSorted((a, b) => b.bytes - a.bytes);
    const bytes = worst?.bytes ?? 0;
    const now = performance.now();
    if (!paused) {
      if (!worst || bytes <= limit || over) return LOOK_MS;
      paused = { since: now, least: bytes, at: now };
      pace.pause();
      warn(
        run,
        "paused",
        `${capital(worst.who)} is ${formatBytes(bytes)} of WAL behind, and --max-replication-lag is ${formatBytes(limit)}: copies pause until that is ${formatBytes(limit * GO_ON)}.`,
      );
    } else if (bytes <= limit * GO_ON) {
      info(run, "unpaused", `Copies go on after ${formatDuration(now - paused.since)}: the replication lag is ${formatBytes(bytes)}.`);
      paused = undefined;
      pace.resume();
    } else if (bytes < paused.least) {
      paused.least = bytes;
      paused.at = now;
    } else if (worst && now - paused.at >= stallMs) giveUp(stuck(worst, stallMs));
    return LOOK_MS;
  };
  const stop = repeat(look, giveUp);
  return {
    [Symbol.dispose]: () => {
      over = true;
      stop();
      pace.resume();
    },
  };
}

/** A limit that cannot be looked at is none: said before anything begins. */
export async function lagObstacles(run: Run, { source, control }: Opened): Promise<Obstacle[]> {
  if (run.config.maxReplicationLag === undefined) return [];
  const found: Obstacle[] = [];
  for (const session of [source, control]) {
    const [row] = await session.query<{ role: string; hidden: boolean }>(
      "SELECT CURRENT_USER AS role, EXISTS (SELECT FROM pg_catalog.pg_stat_replication WHERE state IS NULL) AS hidden",
    );
    if (row?.hidden !== true) continue;
    const role = displayIdent(row.role);
    found.push({
      code: "replication-not-visible",
      side: session.side,
      message: `Role ${role} may not see how far the ${session.side}'s standbys are, which --max-replication-lag asks for.`,
      fix: `GRANT pg_read_all_stats TO ${role};`,
    });
  }
  return found;
}

/** A base backup that is being taken is no standby yet. What a receiver never replays is measured by what it has flushed. */
async function readLags(session: Session): Promise<Lag[]> {
  if (!session.alive) return [];
  const { side } = session;
  // in a transaction, such as the holder's, the list of sessions stays as it was when it was first looked at
  await session.query("SELECT pg_catalog.pg_stat_clear_snapshot()");
  const rows = await session.query<{ name: string | null; bytes: number | null }>(`
SELECT COALESCE(NULLIF(application_name, ''), 'a standby') AS name,
  pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END,
    COALESCE(replay_lsn, flush_lsn, write_lsn, sent_lsn))::float8 AS bytes
FROM pg_catalog.pg_stat_replication WHERE state <> 'backup'
UNION ALL SELECT NULL, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())::float8
WHERE pg_catalog.pg_is_in_recovery()`);
  return rows.map(({ name, bytes }) => ({
    who: name === null ? `the ${side}, which is a standby,` : `standby ${name} of the ${side}`,
    side,
    bytes: bytes ?? 0,
  }));
}

function stuck({ who, side, bytes }: Lag, stallMs: number): PgdittoError {
  return new PgdittoError(
    "server",
    `${capital(who)} is ${formatBytes(bytes)} of WAL behind, and has not come nearer for ${formatDuration(stallMs)}.`,
    {
      object: who,
      side,
      hint: "The live target is as it was. Look at the standby (is its replay paused or in conflict with a query there?), and run again, with a larger --max-replication-lag if need be.",
    },
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
