import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Requirements } from "../../catalog/requirements.ts";
import type { DatabaseIdentity } from "../../catalog/database.ts";
import { readRowHashes, type RowHashes } from "../../catalog/row-hash.ts";
import type { TableInfo } from "../../catalog/tables.ts";
import { buildPlan, type Plan } from "../../plan/build-plan.ts";
import { listEntries } from "../../plan/dump-entries.ts";
import { exportTasks, throughFile } from "../../plan/dump-tasks.ts";
import type { Task } from "../../plan/task.ts";
import type { Session } from "../../postgres/session.ts";
import { parseEntries } from "../../schema/entries.ts";
import { describeProgram } from "../../schema/pg-dump/pg-dump-program.ts";
import type { NativeProgram } from "../../schema/pg-dump/find-pg-restore.ts";
import { runPgDump } from "../../schema/pg-dump/run-pg-dump.ts";
import { readMissingTemplateObjects } from "../../target/template-objects.ts";
import { folderError } from "../../tasks/dump-access.ts";
import { readSequenceValues } from "../../tasks/set-sequences.ts";
import { laterAwaited } from "../../util/wait.ts";
import { readInventory } from "../../verify/inventory.ts";
import { runPlan, type RunPlanResult } from "../copy/run-plan.ts";
import { openWorkers } from "../copy/workers.ts";
import { freezeTables } from "../freeze-tables.ts";
import { leftByPgDump } from "../preflight/fit-workers.ts";
import { openSource, summarize } from "../open.ts";
import { dumpArguments, readCatalog, warnOfUnseen } from "../read-source.ts";
import { type Run, stage, warn } from "../run.ts";
import { VERSION } from "../version.ts";
import { watchHeld } from "../watch/watch-held.ts";
import { digestFiles } from "./dump-files.ts";
import { type DumpFolder, SCHEMA } from "./dump-folder.ts";
import { fitPrograms } from "./fit-programs.ts";
import { expectedBytes } from "./folder-space.ts";
import { guardHalf } from "./guard-half.ts";
import { type Manifest, writeManifest } from "./manifest.ts";
import { DUMP_PHASES } from "./phases.ts";
import { warnOfSecrets } from "./warn-of-secrets.ts";

/** What is known of the source before it is read. */
export interface Exported {
  source: Session;
  sourceIdentity: DatabaseIdentity;
  requirements: Requirements;
  space: Manifest["space"];
  program: NativeProgram;
  /** Further arguments for the pg_dump that reads the schema, for a target that is known. */
  schemaArguments: readonly string[];
}

/**
 * Writes all of the source's database into the folder, under one snapshot; the manifest last.
 * @param letSourceGo Called when the source is not needed any more: digests take as long as the folder is large.
 */
export async function exportSource(run: Run, from: Exported, folder: DumpFolder, letSourceGo: () => Promise<void>): Promise<Manifest> {
  const read = await exportRows(run, from, folder);
  return await stage(run, "dump", async () => {
    await letSourceGo();
    const foreign = await folder.foreign();
    if (foreign.length > 0) {
      const message = `Somebody else has written into the dump folder ${folder.path}: ${foreign.slice(0, 3).join(", ")}${foreign.length > 3 ? ", …" : ""}.`;
      warn(
        run,
        "dump-folder-foreign",
        message,
        "It is no part of the dump. Take it out of there: an import refuses a folder that holds more.",
      );
    }
    const manifest: Manifest = { ...read, files: await digestFiles(folder.path, new Set(foreign), run.signal) };
    await writeManifest(folder.path, manifest).catch(async (error: unknown) => {
      throw await folderError(error, { folder: folder.path, expected: expectedBytes(from.space.sizes) });
    });
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    const counts = Object.values(manifest.counts);
    const rows = counts.reduce((sum, count) => sum + count.rows, 0);
    run.emit({ type: "dump:done", folder: folder.path, files: manifest.files.length, bytes, tables: counts.length, rows });
    return manifest;
  });
}

/** All that is asked of the source. At the end nothing of it is held but the session. */
async function exportRows(run: Run, from: Exported, folder: DumpFolder): Promise<Omit<Manifest, "files">> {
  const { source, program } = from;
  const snapshot = await stage(run, "snapshot", () => freezeTables(source, run.signal));
  await warnOfUnseen(run, source);
  // which server it will be for, nobody knows yet
  const args = [...(await dumpArguments(run, source, snapshot, true)), ...from.schemaArguments];
  const connect = (): Promise<Session> => openSource(run, "pg_dump");
  const reading = laterAwaited(stage(run, "pg-dump", () => runPgDump({ program, connect, args, signal: run.signal })));
  const catalog = await stage(run, "catalog", () => readCatalog(run, source));
  const script = await reading;
  const expected = expectedBytes(from.space.sizes);
  await writeFile(join(folder.path, SCHEMA), script, { mode: 0o600 }).catch(async (error: unknown) => {
    throw await folderError(error, { folder: folder.path, expected });
  });

  const { dumpFormat, skipExtensions } = run.config;
  const { encoding } = from.sourceIdentity;
  const rowHash =
    run.config.verify === "checksum"
      ? await readRowHashes({ source, target: undefined }, { sourceEncoding: encoding, targetEncoding: encoding })
      : undefined;
  const schema = parseEntries(script);
  if (folder.kept) warnOfSecrets(run, schema, folder.path);
  const plan = await stage(run, "plan", () =>
    buildPlan({
      ...catalog,
      entries: schema,
      skipExtensions,
      binaryObstacle: () => undefined,
      streams: 1,
      rangeScans: false,
      rowHash,
      kept: new Map(),
    }),
  );
  const entries = listEntries(plan.copies, plan.tables, dumpFormat);
  await leftByPgDump(run, from);
  const fit = await fitPrograms(run, source);
  const tasks = outOf(plan, exportTasks(entries, plan.copies, fit.atOnce));
  await folder.claim(tasks.flatMap(writtenBy)).catch(async (error: unknown) => {
    throw await folderError(error, { folder: folder.path, expected });
  });
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: "", settings: "", count: Math.min(fit.workers, tasks.length), snapshot, tables: plan.copied }),
  );
  run.emit({
    type: "plan:ready",
    tables: plan.copied.length,
    bytes: plan.bytes,
    tasks: tasks.length,
    pgDump: describeProgram(program),
    snapshot,
  });
  run.emit({ type: "phase:started", phase: 2, of: 4, name: DUMP_PHASES[2] });
  using guard = await guardHalf(run, source, (giveUp) => watchHeld(run, source, giveUp));
  const { signal } = guard;
  const access = { folder: folder.path, program, jobs: fit.jobs, format: dumpFormat, snapshot, connect, expected };
  const done = await stage(run, "tasks", () =>
    runPlan({ ...run, signal }, { ...plan, tasks }, workers, {
      encoding,
      statistics: undefined,
      // nothing is noted: a half that fails begins anew
      journal: undefined,
      dump: { ...access, encoding },
    }),
  );
  await guard.settle();
  return {
    made: new Date().toISOString(),
    run: run.id,
    version: VERSION,
    snapshot,
    source: summarize(run.config.source, source),
    serverVersion: source.serverVersion,
    pgDump: { version: program.version, text: describeProgram(program) },
    format: dumpFormat,
    database: { encoding, locales: from.sourceIdentity.locales },
    options: optionsOf(run),
    requirements: from.requirements,
    space: from.space,
    catalog: {
      ...catalog,
      selected: [...catalog.selected],
      relations: { ...catalog.relations, defaults: [...catalog.relations.defaults] },
    },
    entries,
    sequences: await readSequenceValues(source, catalog.sequences, signal),
    lacking: await readMissingTemplateObjects(source),
    inventory: await readInventory(source, signal),
    counts: countsOf(plan.copied, done),
    hashes: rowHash && hashesOf(plan.copied, rowHash),
  };
}

/** What a task leaves in the folder. */
function writtenBy(task: Task): string[] {
  if (task.kind === "export") return [task.dump.path];
  return task.kind === "large-objects" && task.file ? [task.file.name] : [];
}

/** Programs that write the rows, large objects into files, and what the copy will be compared with. */
function outOf(plan: Plan, exports: readonly Task[]): Task[] {
  const others = plan.tasks.flatMap((task): Task[] => {
    if (task.kind === "large-objects") return [{ ...throughFile(task, "out"), after: [] }];
    return task.kind === "count" ? [{ ...task, after: [], sides: ["source"] }] : [];
  });
  return [...exports, ...others];
}

function optionsOf({ config: { noOwner, noAcl, noTablespaces, skipExtensions } }: Run): Manifest["options"] {
  return { noOwner, noAcl, noTablespaces, skipExtensions };
}

function hashesOf(tables: readonly TableInfo[], rowHash: RowHashes): Manifest["hashes"] {
  return Object.fromEntries(
    tables.map((table) => {
      const { sql, leftOut } = rowHash(table);
      return [table.oid, { sql, leftOut }];
    }),
  );
}

function countsOf(tables: readonly TableInfo[], { counts }: RunPlanResult): Manifest["counts"] {
  return Object.fromEntries(
    tables.map(({ oid }) => {
      const { source, sums } = counts.get(oid) ?? { source: -1 };
      return [oid, { rows: source, ...(sums && { sum: String(sums.source) }) }];
    }),
  );
}
