import { readIdentity } from "../../catalog/database.ts";
import { readConstraints, readSequences } from "../../catalog/relations.ts";
import { readRowHashes, type RowHashes } from "../../catalog/row-hash.ts";
import { selectTables } from "../../catalog/select-tables.ts";
import { readTables, type TableInfo } from "../../catalog/tables.ts";
import type { Difference } from "../../errors.ts";
import type { EndpointSummary } from "../../events.ts";
import { listCopies } from "../../plan/copies.ts";
import { countTasks } from "../../plan/count-tasks.ts";
import { families } from "../../plan/family.ts";
import type { CountTask } from "../../plan/task.ts";
import { joinSql } from "../../postgres/snapshot.ts";
import type { SchemaEntry } from "../../schema/entries.ts";
import { majorOf } from "../../postgres/version.ts";
import type { RowCounts } from "../../tasks/row-counts.ts";
import { readAlikeTables } from "../../verify/alike-tables.ts";
import { compareLargeObjects } from "../../verify/compare-large-objects.ts";
import { compareRows } from "../../verify/compare-rows.ts";
import { compareSchemas, countEntries } from "../../verify/compare-schema.ts";
import { compareSequences } from "../../verify/compare-sequences.ts";
import type { Ends } from "../../verify/find-rows.ts";
import { heartbeat } from "../watch/heartbeat.ts";
import { openSource, openTarget, summarize } from "../open.ts";
import { refusal, tooOld } from "../preflight/preflight.ts";
import { freezeTables } from "../freeze-tables.ts";
import { readBothSchemas } from "./read-both-schemas.ts";
import { info, type Run, stage, warnOfConfig } from "../run.ts";
import { runCounts } from "./run-counts.ts";
import { usefulStreams } from "../copy/streams.ts";
import { tellNotCompared } from "./verify-copy.ts";
import { openWorkers } from "../copy/workers.ts";

/** What `verify` found. */
export interface VerifyResult {
  /** No difference at all. */
  equal: boolean;
  source: EndpointSummary;
  target: EndpointSummary;
  verify: "counts" | "checksum";
  /** Tables whose rows were compared, and how many these are on the source. */
  tables: number;
  rows: number;
  /** Entries of the source's schema script, as pg_dump makes them. */
  objects: number;
  sequences: number;
  largeObjects: number;
  /** All of them, but of rows the first 1000. */
  differences: readonly Difference[];
  /** Milliseconds. */
  ms: number;
}

/** Compares the two databases as they are, each under one snapshot of its own; writes nothing on either side. */
export async function compareDatabases(run: Run): Promise<VerifyResult> {
  const started = performance.now();
  warnOfConfig(run);
  const { config } = run;
  const verify = config.verify ?? "checksum";
  await using source = await stage(run, "connect", () => openSource(run, "verify"));
  await using target = await openTarget(run, "verify");
  const old = [tooOld(source, "source"), tooOld(target, "target")].flat();
  if (old.length > 0) throw refusal(old);
  const summaries = { source: summarize(config.source, source), target: summarize(config.target, target) };
  run.emit({ type: "run:connected", ...summaries });
  const snapshots = await stage(run, "snapshot", async () => {
    const [there, here] = await Promise.all([freezeTables(source, run.signal), freezeTables(target, run.signal)]);
    return { source: there, target: here };
  });
  const schemas = await readBothSchemas(run, { source, target }, snapshots, (purpose) => openTarget(run, purpose));
  const look = await stage(run, "catalog", () => readRows(run, { source, target }, verify, schemas.skipped));

  const count = Math.max(1, Math.min(config.jobs * config.batchSize, look.tasks.length));
  const settings = joinSql(snapshots.target);
  await using workers = await stage(run, "workers", () =>
    openWorkers(run, { staging: config.target.database, settings, count, snapshot: snapshots.source, tables: look.tables }),
  );
  using heart = heartbeat(run, [source, target]);
  const watched: Run = { ...run, signal: heart.signal };
  const counting = { tasks: look.tasks.length };
  const counts = await stage(run, "tasks", () => runCounts(watched, look.tables, look.tasks, workers), counting);
  const [first] = workers.list;
  const ends: Ends = first ? { source: await first.source.get(), target: await first.target.get() } : { source, target };
  tellNotCompared(run, look.tables, look.rowHash);
  const found = await stage(run, "verify", () => compareAll(watched, ends, { look, counts, schemas }));
  const rows = look.tables.reduce((sum, table) => sum + Math.max(0, counts.get(table.oid)?.source ?? 0), 0);
  const { differences } = found;
  run.emit({
    type: "verify:done",
    tables: look.tables.length,
    rows,
    objects: found.objects,
    checksums: look.rowHash !== undefined,
    differences,
  });
  const ms = Math.round(performance.now() - started);
  return { equal: differences.length === 0, ...summaries, verify, tables: look.tables.length, rows, ...found, ms };
}

interface Look {
  tables: readonly TableInfo[];
  tasks: readonly CountTask[];
  rowHash: RowHashes | undefined;
  /** Foreign keys from selected rows to rows that are not. */
  leftOut: ReadonlySet<number>;
}

/** Which tables, and how: those that were not selected and those that the target has not are not looked into. */
async function readRows(run: Run, ends: Ends, verify: "counts" | "checksum", skipped: readonly SchemaEntry[]): Promise<Look> {
  const { source, target } = ends;
  const all = await readTables(source);
  const selected = await selectTables(source, all, run.config);
  const alike = await readAlikeTables(ends);
  const both = all.filter((table) => alike.has(table.oid));
  const [from, to] = [await readIdentity(source), await readIdentity(target)];
  const rowHash =
    verify === "checksum" ? await readRowHashes(ends, { sourceEncoding: from.encoding, targetEncoding: to.encoding }) : undefined;
  const rangeScans = source.serverVersion >= 140_000 && target.serverVersion >= 140_000;
  const copies = listCopies(
    { tables: both, selected, binaryObstacle: () => undefined, streams: usefulStreams(run), rangeScans, kept: new Map() },
    skipped,
  );
  const tasks = countTasks(copies, new Map(), rowHash).map((task): CountTask => {
    // the same columns are needed for the same hash
    const hashes = new Map([...task.hashes].filter(([oid]) => alike.get(oid) === "same columns"));
    return { ...task, frozen: ["source", "target"], hashes };
  });
  const tables = [...new Map(copies.map(({ table }) => [table.oid, table])).values()];
  const unselected = new Set(all.filter((table) => table.kind === "r" && !selected.has(table.oid)).map((table) => table.oid));
  if (unselected.size > 0) info(run, "rows-left-out", `Rows of ${unselected.size} tables are not compared: not selected.`);
  const family = families(all);
  const leftOut = (await readConstraints(source)).filter(
    ({ type, table, refTable }) =>
      type === "f" && selected.has(table) && family.withDescendants(refTable).some((oid) => unselected.has(oid)),
  );
  return { tables, tasks, rowHash, leftOut: new Set(leftOut.map(({ oid }) => oid)) };
}

type Compared = Pick<VerifyResult, "objects" | "sequences" | "largeObjects" | "differences">;

async function compareAll(
  run: Run,
  ends: Ends,
  found: { look: Look; counts: ReadonlyMap<number, RowCounts>; schemas: Awaited<ReturnType<typeof readBothSchemas>> },
): Promise<Compared> {
  const { look, counts, schemas } = found;
  const { skipExtensions } = run.config;
  const { signal } = run;
  const sameMajor = majorOf(ends.source.serverVersion) === majorOf(ends.target.serverVersion);
  const schema = compareSchemas(schemas.source, schemas.target, { skipExtensions, leftOut: look.leftOut, sameMajor });
  const sequences = await compareSequences(
    ends,
    { source: await readSequences(ends.source), target: await readSequences(ends.target) },
    signal,
  );
  const largeObjects = await compareLargeObjects(ends, { contents: look.rowHash !== undefined, signal });
  const rows = await compareRows(look.tables, counts, { rowHash: look.rowHash, ends, signal });
  return {
    objects: countEntries(schemas.source, skipExtensions),
    sequences: sequences.compared,
    largeObjects: largeObjects.compared,
    differences: [...schema, ...rows, ...largeObjects.differences, ...sequences.differences],
  };
}
