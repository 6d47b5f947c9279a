import { readIdentity } from "../../catalog/database.ts";
import { readRequirements, readUnreadable } from "../../catalog/requirements.ts";
import type { Side } from "../../errors.ts";
import { openSource, summarize } from "../open.ts";
import { refusal, tooOld } from "../preflight/preflight.ts";
import { readingObstacles } from "../preflight/source-obstacles.ts";
import { readSourceSpace } from "../preflight/target-space.ts";
import { type Run, stage } from "../run.ts";
import { begin, tellRun } from "../tell-run.ts";
import { underWatch } from "../watch/under-watch.ts";
import { makeDumpFolder } from "./dump-folder.ts";
import { type Exported, exportSource } from "./export-source.ts";
import { findDumper } from "./find-programs.ts";
import { expectedBytes, refuseSmallDisk } from "./folder-space.ts";
import type { Manifest } from "./manifest.ts";
import { DUMP_PHASES } from "./phases.ts";

/** What a successful export has written. */
export interface ExportResult {
  /** The run's id, ten characters. */
  run: string;
  /** Absolute. */
  folder: string;
  /** The source snapshot that all was read under. */
  snapshot: string;
  tables: number;
  rows: number;
  /** In the folder, the manifest not counted. */
  files: number;
  bytes: number;
  /** Milliseconds, from the first connection to the end. */
  ms: number;
  warnings: readonly string[];
}

const NOBODY = { host: "", port: 0, user: "", database: "", version: "" };

/** `pgditto export DIR`: everything of the source, in files. Needs no target. */
export async function runExport(run: Run, path: string): Promise<ExportResult> {
  return await tellRun(
    run,
    async (counted) => {
      begin(counted, { command: "export", folder: path, target: NOBODY });
      // looked at each time: it is let go before the end
      const watchedSides: Side[] = ["source"];
      return summarizeExport(
        path,
        await underWatch(counted, (watched) => exportTo(watched, path, () => void watchedSides.pop()), watchedSides),
      );
    },
    ({ tables, rows, bytes, ms, warnings }) => {
      const { database } = run.config.source;
      return { type: "run:done", tables, rows, bytes, ms, warnings: warnings.length, database, folder: path };
    },
  );
}

async function exportTo(run: Run, path: string, letSourceGo: () => void): Promise<Manifest> {
  await using source = await stage(run, "connect", () => openSource(run, "source"));
  run.emit({ type: "run:connected", source: summarize(run.config.source, source), target: NOBODY });
  const from = await stage(run, "preflight", async (): Promise<Omit<Exported, "program" | "schemaArguments">> => {
    const old = tooOld(source, "source");
    if (old.length > 0) throw refusal(old);
    const sourceIdentity = await readIdentity(source);
    const obstacles = readingObstacles(await readUnreadable(source), sourceIdentity.role);
    if (obstacles.length > 0) throw refusal(obstacles);
    const space = await readSourceSpace(run, source, sourceIdentity.bytes);
    const sizes = await space.sizes();
    await refuseSmallDisk(run, path, sizes);
    return { source, sourceIdentity, requirements: await readRequirements(source), space: { ...space, sizes } };
  });
  const program = await findDumper(run, { sourceVersion: source.serverVersion });
  await using folder = await makeDumpFolder(run, path, { keep: true, expected: expectedBytes(from.space.sizes) });
  run.emit({ type: "phase:started", phase: 1, of: 4, name: DUMP_PHASES[1] });
  const manifest = await exportSource(run, { ...from, program, schemaArguments: [] }, folder, async () => {
    await source[Symbol.asyncDispose]();
    letSourceGo();
  });
  folder.keep();
  return manifest;
}

function summarizeExport(folder: string, { snapshot, counts, files }: Manifest): Omit<ExportResult, "run" | "ms" | "warnings"> {
  const tables = Object.values(counts);
  return {
    folder,
    snapshot,
    tables: tables.length,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
