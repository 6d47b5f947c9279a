import { PgdittoError, type Obstacle } from "../../errors.ts";
import type { TargetAbilities } from "../../target/abilities.ts";
import { sleep } from "../../util/wait.ts";
import { type Limit, readRoom } from "./connection-room.ts";
import { type Opened, ownNames } from "../open.ts";
import { type Run, warn } from "../run.ts";

export interface Fitted {
  /** Workers that the servers have room for, 1 at least. */
  count: number;
  /** Whether the source has room for one more session, beside them and the holder. */
  spare: boolean;
}

/** Looks, and milliseconds between them: a session is on the server's list a moment longer than its connection lasts. */
const LOOKS = 20;
const PAUSE_MS = 100;

/**
 * As many workers as wanted, or fewer where a limit on connections leaves no room for them: then the run takes longer, and says why.
 * @throws PgdittoError `preflight` when there is no room for a single one.
 */
export async function fitWorkers(run: Run, opened: Opened, wanted: number): Promise<Fitted> {
  await leftByPgDump(run, opened);
  const room = await readRoom(run, opened);
  const count = room.fits(wanted);
  const tightest = room.tightest();
  if (tightest && tightest.workers < 1) {
    const { message, fix, side } = noRoom(tightest.limit);
    throw new PgdittoError("preflight", message, { object: "connections", side, hint: fix, obstacles: [noRoom(tightest.limit)] });
  }
  if (tightest && count < wanted) {
    warn(
      run,
      "fewer-jobs",
      `${tightest.limit.name} on the ${tightest.limit.side} leaves room for ${count} of ${wanted} connections that work at the same time: the run takes longer.`,
    );
  }
  return { count, spare: room.spareOnSource(count) > 0 };
}

/** Connections that either side does not allow: more than the server has at all, or so few that nothing can be copied. */
export async function connectionObstacles(run: Run, opened: Opened, abilities: TargetAbilities): Promise<Obstacle[]> {
  const needed = run.config.jobs * run.config.batchSize + FEW;
  const [row] = await opened.source.query<{ n: number }>(
    "SELECT pg_catalog.current_setting('max_connections')::int - pg_catalog.current_setting('superuser_reserved_connections')::int AS n",
  );
  const found: Obstacle[] = [];
  if (row && needed > row.n && run.config.maxSourceConnections === undefined) found.push(tooMany("source", needed, row.n));
  if (needed > abilities.maxConnections) found.push(tooMany("target", needed, abilities.maxConnections));
  if (found.length > 0) return found;
  const tightest = (await readRoom(run, opened)).tightest();
  return tightest && tightest.workers < 1 ? [noRoom(tightest.limit)] : [];
}

/** Sessions beside the copying ones: control and a helper on the target, holder and pg_dump on the source. */
const FEW = 3;

function tooMany(side: "source" | "target", needed: number, there: number): Obstacle {
  return {
    code: "connections",
    side,
    message: `The run needs ${needed} connections to the ${side}, which allows ${there}.`,
    fix: "Lower PG_JOBS or BATCH_SIZE, or raise max_connections.",
  };
}

function noRoom({ side, name, left, kind }: Limit): Obstacle {
  const least =
    side === "source"
      ? "2 at the same time: one holds the snapshot, one copies"
      : "3 at the same time: one holds the lock, one copies, one verifies";
  return {
    code: "connections",
    side,
    message: `${name} on the ${side} leaves room for ${Math.max(0, left)} connections more. A run needs ${least}.`,
    fix:
      kind === "server" ? "End sessions that nobody needs, or raise max_connections." : "Raise it, or end other sessions that it counts.",
  };
}

/** pg_dump's session is closed, but may still be counted. */
export async function leftByPgDump(run: Run, { source }: Pick<Opened, "source">): Promise<void> {
  for (let look = 1; look <= LOOKS; look += 1) {
    await source.query("SELECT pg_catalog.pg_stat_clear_snapshot()");
    const rows = await source.query("SELECT FROM pg_catalog.pg_stat_activity WHERE pg_catalog.starts_with(application_name, $1)", [
      `${ownNames(run)}pg_dump`,
    ]);
    if (rows.length === 0) return;
    await sleep(PAUSE_MS, run.signal);
  }
}
