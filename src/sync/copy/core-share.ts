import type { Run } from "../run.ts";
import { isLocal } from "./streams.ts";

/**
 * How many processes an index build may add to its own while so many tasks are at work; undefined: the target's cores cannot be seen, and
 * the server's own setting holds (2 by default, manual 20.4.6). Helpers cost something: four indexes of 3 million rows took 5.75 s of CPU
 * with two each and 5.15 s with none (measured, PostgreSQL 15), so where there are as many tasks as cores each gets along alone.
 */
export function coreShare({ config, machine }: Pick<Run, "config" | "machine">, atWork: number): number | undefined {
  if (!isLocal(config.target.host, machine.hostname)) return undefined;
  return Math.max(0, Math.floor(machine.cores / Math.max(1, atWork)) - 1);
}
