import { inSlices } from "../util/group-by.ts";

/** So many small things go to one task; more would hold too many locks in one transaction, and gain nothing. */
const MOST = 50;
/** With fewer things the groups are smaller, so that there is one for every worker. */
const GROUPS = 16;

/** Small things in groups that are worth a task each. */
export function grouped<T>(items: readonly T[]): T[][] {
  return inSlices(items, Math.min(MOST, Math.max(1, Math.ceil(items.length / GROUPS))));
}
