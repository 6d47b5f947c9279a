import type { Plan } from "../plan/build-plan.ts";
import { plural } from "../util/format.ts";
import { info, type Run } from "./run.ts";

/** What the user asked to leave out is said in the log too: whoever reads it later did not type the command. */
export function tellLeftOut(run: Run, plan: Plan): void {
  const extensions = plan.skipped.filter((entry) => entry.type === "EXTENSION").map((entry) => entry.name);
  if (extensions.length > 0) info(run, "skipped-extension", `Left out (--skip-extension): ${extensions.join(", ")}.`);
  if (plan.unselected.length > 0)
    info(run, "rows-left-out", `Rows of ${plural(plan.unselected.length, "table")} are left out: not selected.`);
}
