import { displayRemovable, placeOf } from "../../catalog/removable/removable.ts";
import type { Obstacle } from "../../errors.ts";
import type { Plan } from "../../plan/build-plan.ts";
import { readLedger } from "../../target/ledger.ts";
import { plural } from "../../util/format.ts";
import type { Opened } from "../open.ts";
import { tooOld } from "../preflight/preflight.ts";
import { info, type Run } from "../run.ts";
import { readReload } from "./read-reload.ts";

/** Something that a reload takes off a table of the target, and puts back. */
export interface TakenOff {
  /** `foreign-key`, `trigger`, `index`, `row-security`. */
  kind: string;
  /** `public.orders: orders_customer_id_fkey`. */
  object: string;
}

export interface ExaminedReload {
  /** What brings the rows and what comes behind them, as one. */
  plan: Plan;
  obstacles: readonly Obstacle[];
  takenOff: readonly TakenOff[];
}

/** What `--mode truncate` would do, and what is in its way; writes nothing. */
export async function examineReload(run: Run, opened: Opened): Promise<ExaminedReload> {
  const left = (await readLedger(opened.control)).filter(({ purpose }) => purpose === "reload");
  if (left.length > 0)
    info(run, "ledger-found", `An earlier run has left ${plural(left.length, "thing")} taken off in the target; a run puts it back first.`);
  const { plan, obstacles, inTheWay } = await readReload(run, opened);
  return {
    plan: { ...plan.rows, tasks: [...plan.rows.tasks, ...plan.after.tasks] },
    obstacles,
    takenOff: inTheWay.takenOff.map((one) => ({ kind: one.kind, object: displayRemovable(placeOf(one)) })),
  };
}

/** Both sides as far as a look at them makes sense. */
export function versionObstacles({ source, control }: Opened): Obstacle[] {
  return [tooOld(source, "source"), tooOld(control, "target")].flat();
}
