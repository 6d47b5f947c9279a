/** `npm run test:faults` sets it; as a part of `npm test` each row breaks things at a few places only. */
export const FULL = process.env["PGDITTO_FAULTS"] === "full";

/** Milliseconds that one test may take. */
export const TEST_MS = FULL ? 7_200_000 : 300_000;

/** Milliseconds that one run of pgditto may take, whatever happens to it: promise 6. */
export const RUN_MS = 90_000;

/** How a run that failed or died is gone on with. */
export const GO_ON: readonly string[] = ["--resume", "--yes"];

/** What a server that has fallen silent while tasks run ends a run with. */
export const SILENCE_EXIT = 7;

/** How a run ends that has lost the snapshot: it goes on by itself under a new one. */
export const LOST_SNAPSHOT_EXITS: readonly number[] = [0];

/** So many numbers from 1 to `most`, spread evenly, the last one among them; in full form all of them, or `full` many. */
export function places(most: number, few: number, full: number = most): number[] {
  const count = Math.min(FULL ? full : few, most);
  return Array.from({ length: count }, (_, i) => Math.round(((i + 1) * most) / count));
}
