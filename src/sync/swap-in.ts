import { PgdittoError } from "../errors.ts";
import { describeConnection } from "../postgres/connection-config.ts";
import type { Plan } from "../plan/build-plan.ts";
import { markDatabase } from "../target/mark.ts";
import { previousName, retiredName } from "../target/names.ts";
import { readExisting } from "../target/existing.ts";
import { applyDatabaseProperties, dropDatabase } from "../target/staging.ts";
import { type Rename, renameTogether } from "../target/swap.ts";
import type { Session } from "../postgres/session.ts";
import { type Opened, openControl } from "./open.ts";
import { type Run, stage, warn } from "./run.ts";

type Control = Pick<Opened, "control" | "existing">;

/** Gives the staging database the target's name, in one transaction, and puts the old one away. Returns the kept one's name. */
export async function swapIn(run: Run, opened: Control, plan: Plan, staging: string): Promise<string | undefined> {
  const kept = await stage(run, "swap", () => giveName(run, opened, plan, staging));
  await stage(run, "drop-old", () => dropRetired(run, opened.control, retiredName(run.config.target.database, run.id)));
  return kept;
}

async function giveName(run: Run, opened: Control, plan: Plan, staging: string): Promise<string | undefined> {
  const { control } = opened;
  const target = run.config.target.database;
  const sourceName = run.config.source.database;
  await applyDatabaseProperties(control, staging, { entries: plan.databaseProperties, sourceName, signal: run.signal });
  const origin = `${describeConnection(run.config.source)} run ${run.id}`;
  if (!(await markDatabase(control, staging, origin))) {
    warn(
      run,
      "no-mark",
      `The role ${run.config.target.user} may not mark the database as pgditto's, so the next run will ask before it replaces it.`,
      `In a crontab pass --yes, or let a superuser run: GRANT SET ON PARAMETER pgditto.origin TO "${run.config.target.user.replaceAll('"', '""')}";`,
    );
  }
  const retired = retiredName(target, run.id);
  const previous = run.config.keepPrevious ? previousName(target) : undefined;
  const existing = await readExisting(control, target);
  if (existing && existing.oid !== opened.existing?.oid && !run.config.yes) throw appeared(target);
  const renames: Rename[] = [];
  if (existing && previous !== undefined && (await readExisting(control, previous))) renames.push({ from: previous, to: retired });
  if (existing) renames.push({ from: target, to: previous ?? retired });
  renames.push({ from: staging, to: target });
  {
    await using helper = await openControl(run, "swap");
    try {
      await renameTogether(control, helper, renames, run.signal);
    } catch (error) {
      // it came in the last moment: "already exists", from the name's check or from the catalog's index
      throw error instanceof PgdittoError && ["42P04", "23505"].includes(error.sqlstate ?? "") ? appeared(target) : error;
    }
  }
  const kept = existing ? previous : undefined;
  run.emit({ type: "swap:done", database: target, previous: kept });
  return kept;
}

/** Nobody was asked about a database that was not there when the run began. */
export function appeared(target: string): PgdittoError {
  return new PgdittoError("swap", `A database ${target} was created on the target while the run was under way. It is left as it is.`, {
    object: target,
    side: "target",
    task: "swap",
    hint: "Look at it. If it may be replaced, run again.",
  });
}

/** The new database is live: what fails from here on is told, and does not undo it. */
async function dropRetired(run: Run, control: Session, retired: string): Promise<void> {
  try {
    const slots = await dropDatabase(control, retired);
    if (slots.length > 0) {
      warn(
        run,
        "slots-left",
        `The old database subscribed to others; their replication slots are still there: ${slots.join(", ")}.`,
        "A slot keeps WAL. On the publisher: SELECT pg_drop_replication_slot('…'); for those that nobody needs.",
      );
    }
  } catch (error) {
    const reason = error instanceof PgdittoError ? error.message : String(error);
    warn(
      run,
      "retired-not-dropped",
      `The old database could not be dropped and is left as ${retired}: ${reason}`,
      "Drop it by hand once that is mended: `pgditto cleanup` lists it.",
    );
  }
}
