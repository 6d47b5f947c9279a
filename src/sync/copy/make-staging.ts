import { PgdittoError } from "../../errors.ts";
import type { Stage } from "../../events.ts";
import type { Plan } from "../../plan/build-plan.ts";
import { readExisting } from "../../target/existing.ts";
import { dropDatabase, type StagingOptions } from "../../target/staging.ts";
import type { Journal } from "../../tasks/journal.ts";
import type { Opened } from "../open.ts";
import { type Run, stage } from "../run.ts";
import { appeared } from "../swap-in.ts";

/** The staging database of a run. */
export interface Staging {
  name: string;
  exists: boolean;
  /** As long as a later run can go on with it. */
  journal: Journal | undefined;
  /** `--mode recreate` has dropped the target for it. */
  targetDropped: boolean;
}

/** Makes it with `create`, told of as `step`. With `--mode recreate` the target goes first. */
export async function makeStaging(
  run: Run,
  opened: Pick<Opened, "control" | "existing">,
  plan: Plan,
  staging: Staging,
  step: Stage,
  create: (options: StagingOptions) => Promise<void>,
): Promise<void> {
  const { config, machine } = run;
  if (!plan.database) throw new PgdittoError("dump", "pg_dump wrote no entry for the database itself.");
  if (config.mode === "recreate" && (await isStillThere(run, opened))) {
    await stage(run, "drop-old", () => dropDatabase(opened.control, config.target.database));
    staging.targetDropped = true;
    run.emit({ type: "cleanup", object: config.target.database, removed: true, reason: "--mode recreate drops the target first" });
  }
  const note = { target: config.target.database, run: run.id, host: machine.hostname, pid: machine.pid, started: new Date().toISOString() };
  const options = { entry: plan.database, sourceName: config.source.database, note, signal: run.signal };
  await stage(run, step, () => create(options));
  staging.exists = true;
  run.emit({ type: "staging:created", database: staging.name });
}

/** Whether there is a target to drop. Through a dump folder it may be hours since it was confirmed. @throws PgdittoError `swap` when it is another one. */
async function isStillThere({ config }: Run, { control, existing }: Pick<Opened, "control" | "existing">): Promise<boolean> {
  const { database } = config.target;
  const found = await readExisting(control, database);
  if (found && found.oid !== existing?.oid && !config.yes) throw appeared(database);
  return found !== undefined;
}
