import { PgdittoError } from "../../errors.ts";
import type { Plan } from "../../plan/build-plan.ts";
import { renewable } from "../../postgres/renewable.ts";
import type { Session } from "../../postgres/session.ts";
import type { NativeProgram } from "../../schema/pg-dump/find-pg-restore.ts";
import type { TargetAbilities } from "../../target/abilities.ts";
import { loadingSettings } from "../../target/loading-settings.ts";
import { stagingName } from "../../target/names.ts";
import { createStaging } from "../../target/staging.ts";
import { createJournal, journalSchema, NOTHING_HELD } from "../../tasks/journal.ts";
import { joinSides, type RowCounts } from "../../tasks/row-counts.ts";
import { disposables } from "../../util/disposables.ts";
import { countAnew } from "../compare/count-anew.ts";
import { verifyCopy } from "../compare/verify-copy.ts";
import type { Copied } from "../copy/copied.ts";
import { dropWhatSourceLacks, lostWhenAltered, partialKeys } from "../copy/copy-by-tasks.ts";
import { summarizeCounts } from "../copy/copy-by-template.ts";
import { makeStaging, type Staging } from "../copy/make-staging.ts";
import { answers, regainControl } from "../copy/regain-control.ts";
import { runPlan } from "../copy/run-plan.ts";
import { runSteps } from "../copy/run-steps.ts";
import { openWorkers } from "../copy/workers.ts";
import { writeWal } from "../copy/write-wal.ts";
import { type Done, fillAndSwap } from "../fill-and-swap.ts";
import { type Opened, openStaging } from "../open.ts";
import { stepsOf } from "../own-sql-steps.ts";
import { usedTablespaces } from "../preflight/target-space.ts";
import { type Run, stage } from "../run.ts";
import { tellLeftOut } from "../tell-left-out.ts";
import { watchSpace } from "../watch/watch-space.ts";
import { hashesOf, planOfDump } from "./dumped-plan.ts";
import { type Fit, fitPrograms } from "./fit-programs.ts";
import { guardHalf } from "./guard-half.ts";
import type { Manifest } from "./manifest.ts";
import { DUMP_PHASES } from "./phases.ts";

/** A dump whose files are as they were written, and what it takes to restore it. */
export interface Dump {
  folder: string;
  manifest: Manifest;
  program: NativeProgram;
}

type Ends = Pick<Opened, "control" | "existing">;

/** Makes the target out of a dump folder: staging, rows, everything else, validation against the manifest, swap. */
export async function importDump(run: Run, ends: Ends, dump: Dump, abilities: TargetAbilities): Promise<Done> {
  const { manifest } = dump;
  const fit = await fitPrograms(run, ends.control);
  const plan = await stage(run, "plan", () => planOfDump(run, dump, { abilities, atOnce: fit.atOnce }));
  tellLeftOut(run, plan);
  const name = stagingName(run.config.target.database, run.id);
  const staging: Staging = { name, exists: false, journal: undefined, targetDropped: false };
  return await fillAndSwap(run, ends, { plan, staging, snapshot: manifest.snapshot }, () =>
    restore(run, ends, dump, { plan, staging, fit, abilities }),
  );
}

async function restore(
  run: Run,
  ends: Ends,
  { folder, manifest, program }: Dump,
  made: { plan: Plan; staging: Staging; fit: Fit; abilities: TargetAbilities },
): Promise<Copied> {
  const { plan, staging, fit } = made;
  const settings = loadingSettings(made.abilities, fit.workers);
  const count = Math.min(fit.workers, plan.tasks.length);
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: staging.name, settings, count, snapshot: undefined, tables: [] }),
  );
  const { pgDump, snapshot } = manifest;
  run.emit({ type: "plan:ready", tables: plan.copied.length, bytes: plan.bytes, tasks: plan.tasks.length, pgDump: pgDump.text, snapshot });
  await makeStaging(run, ends, plan, staging, "staging", (options) => createStaging(ends.control, staging.name, options));
  run.emit({ type: "phase:started", phase: 3, of: 4, name: DUMP_PHASES[3] });
  // idle as long as the import takes, so that it may be lost when it is needed
  await using copy = renewable(() => openStaging(run, staging.name, "verify"));
  const kept = await dropWhatSourceLacks(run, await copy.get(), manifest.lacking);
  const schema = journalSchema(run.id);
  // for attempts of this run's tasks: no other run goes on with it
  await createJournal(await copy.get(), schema, "{}", plan.database ? [plan.database.key] : []);
  const journal = { schema, boundary: Promise.resolve("0"), held: NOTHING_HELD };
  const tablespaces = usedTablespaces(run, manifest.space);
  const { control } = ends;
  using guard = await guardHalf(run, control, (giveUp) => watchSpace(run, { control, staging: staging.name, tablespaces, giveUp }));
  const { signal } = guard;
  const connect = async (): Promise<Session> => {
    const session = await openStaging(run, staging.name, "pg_restore");
    await session.run(settings);
    return session;
  };
  const { encoding } = manifest.database;
  const access = { folder, program, jobs: fit.jobs, format: manifest.format, connect, snapshot, encoding, expected: 0 };
  const done = await stage(run, "tasks", async () => {
    await using _ahead = writeWal(copy, plan.bytes);
    return await runPlan({ ...run, signal }, plan, workers, { encoding, statistics: undefined, journal, dump: access });
  });
  await guard.settle();

  await using spare = disposables();
  const regained = (await answers(control)) ? undefined : spare.use(await regainControl(run, staging.name));
  if (regained && stepsOf(run, "after-data").length > 0) throw lostWhenAltered(staging.name);
  const found = regained ? await countAnew(run, plan, { source: noSource, target: await copy.get() }) : done.counts;
  const counts = joined(manifest, found);
  const rowHash = hashesOf(run, manifest);
  await stage(run, "verify", async () =>
    verifyCopy(
      { ...run, signal },
      {
        plan,
        counts,
        source: async () => manifest.inventory,
        staging: await copy.get(),
        checksums: rowHash && { rowHash, inSnapshot: undefined },
        leftOut: partialKeys(plan),
        kept,
        hint: "The live target is as it was. The dump and its manifest do not agree with what was restored: report this.",
      },
    ),
  );
  await runSteps({ ...run, signal }, plan, workers, "after");
  spare.release();
  return { ...summarizeCounts(plan, counts, "text"), regained, advice: [] };
}

/** What the export has counted, beside what is there now. */
function joined({ counts }: Manifest, found: ReadonlyMap<number, RowCounts>): Map<number, RowCounts> {
  return new Map(
    Object.entries(counts).map(([oid, { rows, sum }]) => {
      const sums = sum === undefined ? undefined : { source: BigInt(sum), target: 0n };
      return [Number(oid), joinSides({ source: rows, target: -1, sums }, found.get(Number(oid)))];
    }),
  );
}

function noSource(): Promise<Session> {
  return Promise.reject(new PgdittoError("internal", "An import does not have the source."));
}
