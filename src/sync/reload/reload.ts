import type { Session } from "../../postgres/session.ts";
import { holdTarget } from "../../target/run-lock.ts";
import { plural } from "../../util/format.ts";
import { notPutBack } from "../ledger/put-back.ts";
import { repairDead } from "../ledger/repair-dead.ts";
import { summarize } from "../open.ts";
import { refusal } from "../preflight/preflight.ts";
import type { SyncResult } from "../result.ts";
import { info, type Run, stage, warn } from "../run.ts";
import type { Memory } from "../start-over.ts";
import { confirmReload } from "./confirm-reload.ts";
import { versionObstacles } from "./examine-reload.ts";
import { openReload } from "./open-reload.ts";
import { readReload, type ReloadContents } from "./read-reload.ts";
import { reloadAtomically } from "./reload-atomically.ts";
import { reloadByTasks } from "./reload-by-tasks.ts";

/**
 * `--mode truncate`: replaces the rows of tables that are there, and leaves everything else as it is. Each table holds either its old or its
 * new rows at any moment; what is taken off for it is in a ledger in the target itself.
 */
export async function reload(run: Run, memory: Memory): Promise<Omit<SyncResult, "run" | "ms" | "warnings">> {
  const { config } = run;
  await using opened = await stage(run, "connect", () => openReload(run, memory.resume));
  const { source, control } = opened;
  run.emit({ type: "run:connected", source: summarize(config.source, source), target: summarize(config.target, control) });
  const old = versionObstacles(opened);
  if (old.length > 0) throw refusal(old);
  await holdTarget(control, config.target.database, run.id);
  await stage(run, "leftovers", () => repairLeft(run, control));

  run.emit({ type: "phase:started", phase: 1, of: 4, name: "Structure Comparison" });
  const contents = await readReload(run, opened);
  if (contents.obstacles.length > 0) throw refusal(contents.obstacles);
  await stage(run, "confirm", () => confirmReload(run, opened, contents));
  // nobody notes in a database that stays what of it is done
  memory.once = run.steps !== undefined;
  const done = await (config.atomic ? reloadAtomically : reloadByTasks)(run, opened, contents);
  tellStaleViews(run, contents);
  return { ...done, database: config.target.database, previous: undefined, snapshot: contents.snapshot };
}

/** What a dead run has taken off for its rows. What somebody took off with `pgditto constraints` stays off. */
async function repairLeft(run: Run, control: Session): Promise<void> {
  const repaired = await repairDead(run, control);
  if (repaired.back.length > 0)
    info(run, "ledger-found", `An earlier run had left ${plural(repaired.back.length, "thing")} taken off in the target, put back now.`);
  if (repaired.dropped > 0)
    warn(
      run,
      "constraints-off",
      `${plural(repaired.dropped, "constraint")} of the target ${repaired.dropped === 1 ? "is" : "are"} off because of \`pgditto constraints drop\`, and ${repaired.dropped === 1 ? "stays" : "stay"} off.`,
      "`pgditto constraints restore` puts back what is off.",
    );
  // rows that break a constraint may be about to be replaced; whatever else is in the way would be in the way again
  if (repaired.failed.length > 0) throw notPutBack(repaired);
}

function tellStaleViews(run: Run, { inTheWay: { staleViews } }: ReloadContents): void {
  if (staleViews.length === 0) return;
  warn(
    run,
    "stale-views",
    `Materialized views on the target show the old rows still: ${staleViews.join(", ")}.`,
    staleViews.map((name) => `REFRESH MATERIALIZED VIEW ${name};`).join(" "),
  );
}
