import { PgdittoError, type Side } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { plural } from "../../util/format.ts";
import { readLimits } from "../preflight/connection-room.ts";
import { type Run, warn } from "../run.ts";

/** How much goes on at the same time. */
export interface Fit {
  /** Programs: `--batch-size`. */
  atOnce: number;
  /** Of each: `--jobs`. */
  jobs: number;
  /** Sessions of ours that work beside them. */
  workers: number;
}

/** On the source: one counts while programs write. On the target: indexes of finished tables are built while others come. */
const WORKERS: Readonly<Record<Side, (jobs: number, atOnce: number) => number>> = {
  source: (_jobs, atOnce) => atOnce + 1,
  target: (jobs, atOnce) => jobs * atOnce,
};
/** Beside all these: pg_dump's for the schema is gone by then; on the target one verifies, and a helper swaps. */
const FIXED: Readonly<Record<Side, number>> = { source: 0, target: 2 };

/**
 * As many jobs and programs as asked for, or fewer where a limit on connections leaves no room for them.
 * @throws PgdittoError `preflight` when there is no room for a single program.
 */
export async function fitPrograms(run: Run, session: Session): Promise<Fit> {
  const { side } = session;
  const { jobs: wantedJobs, batchSize, maxSourceConnections: most } = run.config;
  const limits = (await readLimits(session)).map(({ name, left }) => ({ name, left }));
  // the holder is one of them
  if (side === "source" && most !== undefined) limits.push({ name: `--max-source-connections ${most}`, left: most - 1 });
  const [tightest] = limits.toSorted((a, b) => a.left - b.left);
  const left = tightest?.left ?? Number.MAX_SAFE_INTEGER;
  const needs = (jobs: number, atOnce: number): number =>
    // a program with several jobs has a connection for itself, too
    atOnce * (jobs === 1 ? 1 : jobs + 1) + WORKERS[side](jobs, atOnce) + FIXED[side];
  let [jobs, atOnce] = [wantedJobs, batchSize];
  while (needs(jobs, atOnce) > left && jobs * atOnce > 1) {
    if (jobs > 1) jobs -= 1;
    else atOnce -= 1;
  }
  // where even that is too much, tables are counted between two programs
  const workers = Math.min(WORKERS[side](jobs, atOnce), left - (needs(jobs, atOnce) - WORKERS[side](jobs, atOnce)));
  if (workers < 1) {
    const message = `${tightest?.name ?? "The server"} on the ${side} leaves room for ${plural(Math.max(0, left), "connection")} more; ${needs(1, 1) - WORKERS[side](1, 1) + 1} are needed.`;
    throw new PgdittoError("preflight", message, { object: "connections", side, hint: "Raise it, or end other sessions that it counts." });
  }
  if (jobs < wantedJobs || atOnce < batchSize) {
    const fewer = `${plural(atOnce, "table")} at once with ${plural(jobs, "job")} each`;
    warn(run, "fewer-jobs", `${tightest?.name ?? "The server"} on the ${side} leaves room for ${fewer}: the run takes longer.`);
  }
  return { atOnce, jobs, workers };
}
