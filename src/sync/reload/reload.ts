import type { Session } from "../../postgres/session.ts";
import { readLedger } from "../../target/ledger.ts";
import { holdTarget } from "../../target/run-lock.ts";
import { plural } from "../../util/format.ts";
import { notPutBack, putBack } from "../ledger/put-back.ts";
import { summarize } from "../open.ts";
import { refusal } from "../preflight/preflight.ts";
import type { SyncResult } from "../result.ts";
import { info, type Run, stage, warn } from "../run.ts";
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
export async function reload(run: Run, patient: boolean): Promise<Omit<SyncResult, "run" | "ms" | "warnings">> {
  const { config } = run;
  await using opened = await stage(run, "connect", () => openReload(run, patient));
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
  const done = await (config.atomic ? reloadAtomically : reloadByTasks)(run, opened, contents);
  tellStaleViews(run, contents);
  return { ...done, database: config.target.database, previous: undefined, snapshot: contents.snapshot };
}

/** What a dead run has taken off for its rows. What somebody took off with `pgditto constraints` stays off. */
async function repairLeft(run: Run, control: Session): Promise<void> {
  const all = await readLedger(control);
  const [foreign] = all.filter(({ elsewhere }) => elsewhere !== undefined);
  if (foreign)
    warn(
      run,
      "ledger-elsewhere",
      `The target holds a ledger of another database (${foreign.elsewhere ?? ""}), which came here with a copy: nothing of it is put back.`,
      "`pgditto repair` in that database does. If this one lacks something too, look at pgditto.ledger here.",
    );
  const entries = all.filter(({ purpose, elsewhere }) => purpose === "reload" && elsewhere === undefined);
  if (entries.length === 0) return;
  info(run, "ledger-found", `An earlier run has left ${plural(entries.length, "thing")} taken off in the target: put back first.`);
  const result = await putBack(run, entries, [control]);
  // rows that break a constraint may be about to be replaced; whatever else is in the way would be in the way again
  if (result.failed.length > 0) throw notPutBack(result);
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
