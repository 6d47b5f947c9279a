import type { Side } from "../../errors.ts";
import { holdTarget } from "../../target/run-lock.ts";
import { dropLeftoversOfTarget } from "../clean-up.ts";
import { confirmTarget } from "../confirm-target.ts";
import type { Done } from "../fill-and-swap.ts";
import { answers, holdAnew } from "../copy/regain-control.ts";
import { open, summarize } from "../open.ts";
import { withOwnSql } from "../own-sql-steps.ts";
import { preflight, refusal } from "../preflight/preflight.ts";
import { readSourceSpace } from "../preflight/target-space.ts";
import { compressionArguments } from "../read-source.ts";
import type { SyncResult } from "../result.ts";
import { info, type Run, stage } from "../run.ts";
import { tellDone, warnOfOlderTarget } from "../sync.ts";
import { begin, tellRun } from "../tell-run.ts";
import { underWatch } from "../watch/under-watch.ts";
import { makeDumpFolder } from "./dump-folder.ts";
import { exportSource } from "./export-source.ts";
import { findDumper, findRestorer } from "./find-programs.ts";
import { expectedBytes, refuseSmallDisk } from "./folder-space.ts";
import { importDump } from "./import-dump.ts";
import { folderOf } from "./name-folder.ts";
import { DUMP_PHASES } from "./phases.ts";

/** `sync --via dump`: an export and an import in one run. From the end of the export on the source is not needed any more. */
export async function syncThroughDump(asked: Run): Promise<SyncResult> {
  const run = await withOwnSql(asked);
  return await tellRun(
    run,
    async (counted) => {
      const path = folderOf(counted);
      begin(counted, { folder: path });
      // looked at each time: the source is let go in the middle
      const watchedSides: Side[] = ["target", "source"];
      return await underWatch(counted, (watched) => exportAndImport(watched, path, () => void watchedSides.pop()), watchedSides);
    },
    tellDone,
  );
}

async function exportAndImport(run: Run, path: string, letSourceGo: () => void): Promise<Done> {
  const { config } = run;
  await using opened = await stage(run, "connect", () => open(run));
  const { source, control, sourceIdentity } = opened;
  run.emit({ type: "run:connected", source: summarize(config.source, source), target: summarize(config.target, control) });
  await holdTarget(control, config.target.database, run.id);
  const found = await stage(run, "preflight", () => preflight(run, opened));
  if (found.obstacles.length > 0) throw refusal(found.obstacles);
  const dumper = await findDumper(run, { sourceVersion: source.serverVersion, targetVersion: control.serverVersion });
  const program = await findRestorer(run, dumper.version);
  const reckoned = await readSourceSpace(run, source, sourceIdentity.bytes);
  const space = { ...reckoned, sizes: await reckoned.sizes() };
  await refuseSmallDisk(run, path, space.sizes);
  await using folder = await makeDumpFolder(run, path, { keep: config.keepDumps, expected: expectedBytes(space.sizes) });
  warnOfOlderTarget(run, opened);
  await stage(run, "confirm", () => confirmTarget(run, opened));
  await stage(run, "leftovers", () => dropLeftoversOfTarget(run, control));

  run.emit({ type: "phase:started", phase: 1, of: 4, name: DUMP_PHASES[1] });
  const schemaArguments = await compressionArguments(run, source, found.abilities);
  const { requirements } = found;
  const manifest = await exportSource(
    run,
    { source, sourceIdentity, requirements, space, program: dumper, schemaArguments },
    folder,
    async () => {
      // it may clean up again, and go away
      await source[Symbol.asyncDispose]();
      letSourceGo();
    },
  );
  if (config.keepDumps) {
    folder.keep();
    info(run, "dump-kept", `The dump is kept in ${path}, whatever comes: \`pgditto import\` makes databases of it.`);
  }
  // idle as long as the export took
  await using renewed = (await answers(control)) ? undefined : await holdAnew(run);
  const ends = { control: renewed ?? control, existing: opened.existing };
  return await importDump(run, ends, { folder: path, manifest, program }, found.abilities);
}
