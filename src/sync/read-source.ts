import { readLargeObjects } from "../catalog/large-objects.ts";
import { readConstraints, readIndexes, readMatviews, readSequences } from "../catalog/relations.ts";
import { readRelationDependencies } from "../catalog/relation-dependencies.ts";
import { selectTables } from "../catalog/select-tables.ts";
import { readTableNames, readTables } from "../catalog/tables.ts";
import { readBinarySafety } from "../catalog/types.ts";
import { readUnseen } from "../catalog/requirements.ts";
import { PgdittoError } from "../errors.ts";
import type { PlanInput } from "../plan/build-plan.ts";
import { quoteQualified } from "../postgres/quote.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import { lockAndExport, readPosition, type SnapshotPosition } from "../postgres/snapshot.ts";
import { parseEntries, type SchemaEntry } from "../schema/entries.ts";
import { findPgDump } from "../schema/pg-dump/find-pg-dump.ts";
import { describeProgram, majorOf, type PgDumpProgram } from "../schema/pg-dump/pg-dump-program.ts";
import { runPgDump } from "../schema/pg-dump/run-pg-dump.ts";
import { plural } from "../util/format.ts";
import { type Opened, openSource } from "./open.ts";
import type { Preflight } from "./preflight.ts";
import { info, type Run, stage, warn } from "./run.ts";
import { usefulStreams } from "./streams.ts";

/** Milliseconds to wait for tables that somebody holds exclusively. */
const LOCK_TIMEOUT_MS = 60_000;
/** Tables may appear and go while they are being locked; this often, and the run gives up. */
const LOCK_ROUNDS = 5;

/** From this size on a key's index is worth a task of its own. Bytes of heap and TOAST. */
const TWO_STEP_TABLE = 32 * 1024 * 1024;

export interface SourceContents extends Omit<PlanInput, "kept"> {
  snapshot: string;
  position: SnapshotPosition;
  pgDump: string;
  program: PgDumpProgram;
}

/** Locks the tables, exports the snapshot, and reads everything that the plan is made of under it. */
export async function readSource(run: Run, opened: Opened, found: Preflight): Promise<SourceContents> {
  const { source } = opened;
  const snapshot = await stage(run, "snapshot", () => freezeSource(source, run.signal));
  const position = await readPosition(source);
  const program = await stage(run, "find-pg-dump", () =>
    findPgDump({
      choice: run.config.pgDump,
      pgBin: run.config.pgBin,
      pathEnv: run.machine.path,
      platform: run.machine.platform,
      sourceVersion: source.serverVersion,
      targetVersion: opened.control.serverVersion,
    }),
  );
  // files hold what only a superuser may read, too
  const unseen = run.config.strategy === "template" ? [] : await readUnseen(source);
  if (unseen.length > 0) {
    warn(
      run,
      "not-visible",
      `Only a superuser may read all of the source's ${unseen.join(", ")}: the copy will not have them.`,
      "Use a superuser for the source, or add them on the target by hand.",
    );
  }
  if (program.note !== undefined) info(run, "pg-dump", program.note);
  if (program.warning !== undefined) warn(run, "pg-dump-old", program.warning);

  const args = [
    ...dumpArguments(run, snapshot, majorOf(source.serverVersion) !== majorOf(opened.control.serverVersion)),
    ...(await compressionArguments(run, source, found)),
  ];
  const connect = (): Promise<Session> => openSource(run, "pg_dump");
  const script = stage(run, "pg-dump", () => runPgDump({ program, connect, args, signal: run.signal }));
  script.catch(() => undefined); // awaited below; a failure of the catalog must not leave it unhandled
  const catalog = await stage(run, "catalog", () => readCatalog(run, opened, found));
  return {
    ...catalog,
    entries: withoutOwnerOfPublic(run, parseEntries(await script), found),
    skipExtensions: run.config.skipExtensions,
    streams: usefulStreams(run),
    rangeScans: source.serverVersion >= 140_000,
    snapshot,
    position,
    pgDump: describeProgram(program),
    program,
  };
}

type Catalog =
  | "tables"
  | "selected"
  | "indexes"
  | "constraints"
  | "matviews"
  | "sequences"
  | "relations"
  | "largeObjects"
  | "binaryObstacle";

async function readCatalog(run: Run, opened: Opened, found: Preflight): Promise<Pick<PlanInput, Catalog>> {
  const { source } = opened;
  const tables = await readTables(source);
  return {
    tables,
    selected: await selectTables(source, tables, run.config),
    indexes: await readIndexes(
      source,
      tables.filter((table) => table.kind === "r" && table.bytes >= TWO_STEP_TABLE).map((table) => table.oid),
    ),
    constraints: await readConstraints(source),
    matviews: await readMatviews(source),
    sequences: await readSequences(source),
    relations: await readRelationDependencies(source),
    largeObjects: await readLargeObjects(source),
    binaryObstacle: await binarySafety(opened, found),
  };
}

/** Repeats until the locked tables are the ones that the snapshot shows. */
async function freezeSource(source: Session, signal: AbortSignal): Promise<string> {
  for (let round = 1; ; round += 1) {
    const before = (await readTableNames(source)).map(({ schema, name }) => quoteQualified(schema, name));
    try {
      const snapshot = await lockAndExport(source, before, LOCK_TIMEOUT_MS, signal);
      const known = new Set(before);
      const unlocked = (await readTableNames(source)).filter(({ schema, name }) => !known.has(quoteQualified(schema, name)));
      if (unlocked.length === 0) return snapshot;
    } catch (error) {
      if (!(error instanceof PgdittoError) || !["42P01", "3F000"].includes(error.sqlstate ?? "")) throw lockError(error);
    }
    await source.run("ROLLBACK");
    if (round >= LOCK_ROUNDS) {
      throw new PgdittoError("server", "The source's tables keep changing: they could not be locked.", {
        side: "source",
        hint: "Run again when nobody creates or drops tables there.",
      });
    }
  }
}

function lockError(error: unknown): unknown {
  if (!(error instanceof PgdittoError)) return error;
  if (error.sqlstate === "55P03")
    return withFacts(error, {
      task: "lock tables",
      hint: "Somebody holds a table of the source exclusively (ALTER TABLE, VACUUM FULL, LOCK). See pg_locks there, and run again.",
    });
  if (error.sqlstate === "53200")
    return withFacts(error, {
      task: "lock tables",
      hint: "Raise max_locks_per_transaction on the source: every table of a run is locked (ACCESS SHARE), as pg_dump does.",
    });
  return error;
}

function dumpArguments(run: Run, snapshot: string, otherVersion: boolean): string[] {
  return [
    "--verbose",
    "--create",
    "--section=pre-data",
    "--section=post-data",
    "--no-blobs",
    "--encoding=UTF8",
    `--snapshot=${snapshot}`,
    `--lock-wait-timeout=${LOCK_TIMEOUT_MS}`,
    // a word may be reserved in another version (manual, pg_dump "Notes")
    ...(otherVersion ? ["--quote-all-identifiers"] : []),
    ...(run.config.noOwner ? ["--no-owner"] : []),
    ...(run.config.noAcl ? ["--no-privileges"] : []),
    ...(run.config.noTablespaces ? ["--no-tablespaces"] : []),
  ];
}

/** How values are compressed is the one thing about a column that rows do not need: a server built without lz4 can hold them all the same. */
async function compressionArguments(run: Run, source: Session, found: Preflight): Promise<string[]> {
  if (found.abilities.lz4 || source.serverVersion < 140_000) return [];
  const [row] = await source.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_catalog.pg_attribute WHERE attcompression = 'l' AND NOT attisdropped AND attrelid >= 16384",
  );
  if (!row || row.n === 0) return [];
  warn(
    run,
    "no-lz4",
    `The target's server was built without lz4: ${plural(row.n, "column")} will be compressed with its default instead.`,
    "The values are the same. A server built with lz4 keeps the setting.",
  );
  return ["--no-toast-compression"];
}

async function binarySafety(opened: Opened, found: Preflight): Promise<PlanInput["binaryObstacle"]> {
  if (opened.sourceIdentity.encoding !== "UTF8") return () => `the database's encoding is ${opened.sourceIdentity.encoding}`;
  const installed = new Map(found.requirements.extensions.map(({ name, version }) => [name, version]));
  return readBinarySafety(opened.source, (name) => installed.get(name) === found.abilities.extensions.get(name)?.version);
}

/**
 * Before PostgreSQL 15 the schema public belongs to the bootstrap superuser in every database. A role that may not give it to that one
 * leaves it to the owner of the database, as 15 and newer do.
 */
function withoutOwnerOfPublic(run: Run, entries: readonly SchemaEntry[], found: Preflight): readonly SchemaEntry[] {
  const kept = entries.filter(
    ({ type, name, owner, sql }) =>
      type !== "SCHEMA" ||
      name !== "public" ||
      found.abilities.memberOf.has(owner) ||
      !/^(?:--[^\n]*\n|\s)*ALTER SCHEMA \S+ OWNER TO [^;]+;$/.test(sql),
  );
  if (kept.length < entries.length) {
    warn(
      run,
      "public-owner",
      "The schema public will belong to the owner of the database: the target's role may not give it to a superuser.",
    );
  }
  return kept;
}
