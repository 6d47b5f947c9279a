import type { Session } from "../../postgres/session.ts";
import { formatCount, formatDuration } from "../../util/format.ts";
import { withinMs } from "../../util/wait.ts";
import type { GiveUp } from "./repeat.ts";
import { type Run, warn } from "../run.ts";

/** Milliseconds between two readings, and of patience with the server. */
const EVERY_MS = 60_000;
const PATIENCE_MS = 5000;
/** From here on a snapshot is old: bloat that an hour of writes leaves behind is felt. */
const OLD_SECONDS = 3600;
/** Or from so many transactions on; a quarter of `autovacuum_freeze_max_age` where that is less (its default is 200 million). */
const OLD_TRANSACTIONS = 50_000_000;

export interface HeldWatch extends Disposable {
  /** One more reading, for the summary. */
  settle: () => Promise<void>;
}

/**
 * Tells how long the run's snapshot has kept the source from cleaning up: vacuum leaves every row that died since. One query on the
 * session that holds it. @param everyMs Milliseconds between two readings. Default one minute.
 */
export function watchHeld(run: Run, holder: Session, giveUp: GiveUp, everyMs = EVERY_MS): HeldWatch {
  const told = { seconds: false, transactions: false };
  const read = async (): Promise<void> => {
    if (!holder.alive) return;
    const held = await withinMs(PATIENCE_MS, readHeld(holder));
    if (!held) return;
    const { seconds, transactions } = held;
    run.emit({ type: "source:held", seconds, transactions });
    const since = `The snapshot is ${formatDuration(seconds * 1000)} old${transactions === undefined ? "" : ` (${formatCount(transactions)} transactions)`}`;
    const hint =
      "If the source suffers, cancel the run; it holds nothing back then. More --jobs, or fewer tables at a time, make it shorter.";
    if (seconds >= OLD_SECONDS && !told.seconds) {
      told.seconds = true;
      warn(run, "snapshot-old", `${since}: vacuum on the source removes no row that has died since.`, hint);
    }
    if (transactions !== undefined && transactions >= Math.min(OLD_TRANSACTIONS, held.freezeMaxAge / 4) && !told.transactions) {
      told.transactions = true;
      const limit = formatCount(held.freezeMaxAge);
      warn(run, "snapshot-old", `${since}: the source can freeze nothing newer, and autovacuum_freeze_max_age is ${limit}.`, hint);
    }
  };
  const timer = setInterval(() => void read().catch(giveUp), everyMs);
  return { settle: read, [Symbol.dispose]: () => clearInterval(timer) };
}

interface Held {
  seconds: number;
  transactions: number | undefined;
  freezeMaxAge: number;
}

/**
 * `now()` is when the holder's transaction began. Inside of it every other way to ask for the newest transaction gives an answer that is
 * as old as the snapshot; the control file's is as of the last checkpoint, some minutes behind at the most.
 */
async function readHeld(holder: Session): Promise<Held | undefined> {
  const [row] = await holder.query<{ seconds: number; transactions: number | null; freeze: number }>(`
SELECT EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - pg_catalog.now())::float8 AS seconds,
  CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE') THEN
    (SELECT GREATEST(0, pg_catalog.split_part(next_xid, ':', 1)::float8 * 4294967296 + pg_catalog.split_part(next_xid, ':', 2)::float8
       - pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())) FROM pg_catalog.pg_control_checkpoint()) END AS transactions,
  pg_catalog.current_setting('autovacuum_freeze_max_age')::float8 AS freeze`);
  return row && { seconds: Math.round(row.seconds), transactions: row.transactions ?? undefined, freezeMaxAge: row.freeze };
}
