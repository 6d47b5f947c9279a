import { PgdittoError } from "../../errors.ts";
import { largeObjectTasks } from "../../plan/copy-tasks.ts";
import { throughFile } from "../../plan/dump-tasks.ts";
import { readAbilities, type TargetAbilities } from "../../target/abilities.ts";
import { readExisting } from "../../target/existing.ts";
import { holdTarget } from "../../target/run-lock.ts";
import { plural } from "../../util/format.ts";
import { dropLeftoversOfTarget } from "../clean-up.ts";
import { confirmTarget } from "../confirm-target.ts";
import type { Done } from "../fill-and-swap.ts";
import { openControl, type Opened, summarize } from "../open.ts";
import { withOwnSql } from "../own-sql-steps.ts";
import { databaseObstacles, objectObstacles, refusal, tooOld } from "../preflight/preflight.ts";
import { spaceObstacles } from "../preflight/space-obstacles.ts";
import type { SyncResult } from "../result.ts";
import { info, type Run, stage } from "../run.ts";
import { tellDone, warnOfOlderTarget } from "../sync.ts";
import { begin, tellRun } from "../tell-run.ts";
import { underWatch } from "../watch/under-watch.ts";
import { checkFiles } from "./check-files.ts";
import { SCHEMA } from "./dump-folder.ts";
import { hashesOf } from "./dumped-plan.ts";
import { findRestorer } from "./find-programs.ts";
import { type Dump, importDump } from "./import-dump.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { DUMP_PHASES } from "./phases.ts";

/** `pgditto import DIR`: makes the target of a dump folder, as a sync would have made it of the source on that day. Needs no source. */
export async function runImport(asked: Run, path: string): Promise<SyncResult> {
  refuseReload(asked);
  const run = await withOwnSql(asked);
  return await tellRun(
    run,
    async (counted) => {
      const manifest = await readManifest(path);
      const known = asExported(counted, manifest);
      begin(known, { command: "import", folder: path, source: manifest.source });
      return await underWatch(known, (watched) => importFrom(watched, path, manifest), ["target"]);
    },
    tellDone,
  );
}

/** Of a dump a database is made. */
function refuseReload({ config }: Run): void {
  if (config.mode !== "truncate") return;
  throw new PgdittoError("usage", "pgditto import makes a database of the dump: it cannot replace the rows of one that stays.", {
    object: "--mode",
    hint: "Leave out --mode truncate. A sync from a database that was made of the dump can do it.",
  });
}

/** The source, and what was left out, are as the export had them. */
function asExported(run: Run, { source, options }: Manifest): Run {
  const { config } = run;
  const { host, port, user, database } = source;
  return {
    ...run,
    config: {
      ...config,
      source: { ...config.source, host, port, user, database },
      noOwner: config.noOwner || options.noOwner,
      noAcl: config.noAcl || options.noAcl,
      noTablespaces: config.noTablespaces || options.noTablespaces,
      skipExtensions: [...new Set([...config.skipExtensions, ...options.skipExtensions])],
    },
  };
}

async function importFrom(run: Run, folder: string, manifest: Manifest): Promise<Done> {
  const { target } = run.config;
  hashesOf(run, manifest);
  const program = await findRestorer(run, manifest.pgDump.version);
  await stage(run, "check-dump", () => checkFiles(folder, namesRead(manifest), manifest.files, run.signal));
  const { made, source, files } = manifest;
  info(
    run,
    "dump-checked",
    `The dump of ${source.database}, made ${made}, is whole: ${plural(files.length, "file")} as they were written.`,
  );
  await using control = await stage(run, "connect", () => openControl(run));
  run.emit({ type: "run:connected", source: manifest.source, target: summarize(target, control) });
  const ends = { control, existing: await readExisting(control, target.database) };
  await holdTarget(control, target.database, run.id);
  const abilities = await stage(run, "preflight", () => preflightImport(run, ends, manifest));
  warnOfOlderTarget(run, { control, source: manifest });
  await stage(run, "confirm", () => confirmTarget(run, ends));
  await stage(run, "leftovers", () => dropLeftoversOfTarget(run, control));
  run.emit({ type: "phase:started", phase: 1, of: 4, name: DUMP_PHASES[1] });
  return await importDump(run, ends, { folder, manifest, program } satisfies Dump, abilities);
}

/** What the plan of an import will read. */
function namesRead({ entries, catalog }: Manifest): string[] {
  const large = largeObjectTasks(catalog.largeObjects).map((task) => throughFile(task, "in").file?.name ?? "");
  return [SCHEMA, ...entries.map(({ path }) => path), ...large];
}

/** The obstacles of a sync that are the target's, with what the manifest says of the source. */
async function preflightImport(run: Run, ends: Pick<Opened, "control" | "existing">, manifest: Manifest): Promise<TargetAbilities> {
  const { control } = ends;
  const old = tooOld(control, "target");
  if (old.length > 0) throw refusal(old);
  const abilities = await readAbilities(control);
  const { requirements, database, space } = manifest;
  const obstacles = [
    ...(await objectObstacles(run, { control, sourceIdentity: database }, requirements, abilities)),
    ...(await databaseObstacles(run, ends, abilities, requirements.superuserOnly)),
    ...(await spaceObstacles(run, ends, { ...space, sizes: async () => space.sizes })),
  ];
  if (obstacles.length > 0) throw refusal(obstacles);
  return abilities;
}
