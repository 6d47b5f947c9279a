import { laterAwaited } from "../util/wait.ts";
import { findProgram } from "./find-program.ts";
import { FIRST_NORMAL_OID } from "../postgres/first-normal-oid.ts";
import { readLargeObjects } from "../catalog/large-objects.ts";
import { readConstraints, readIndexes, readMatviews, readSequences } from "../catalog/relations.ts";
import { readRelationDependencies } from "../catalog/relation-dependencies.ts";
import { readRowHashes, type RowHashes } from "../catalog/row-hash.ts";
import { selectTables } from "../catalog/select-tables.ts";
import { readTables } from "../catalog/tables.ts";
import { readBinarySafety } from "../catalog/types.ts";
import { readUnseen } from "../catalog/requirements.ts";
import type { PlanInput } from "../plan/build-plan.ts";
import type { Session } from "../postgres/session.ts";
import { readPosition, type SnapshotPosition } from "../postgres/snapshot.ts";
import { parseEntries, type SchemaEntry } from "../schema/entries.ts";
import { describeProgram, type PgDumpProgram } from "../schema/pg-dump/pg-dump-program.ts";
import { majorOf } from "../postgres/version.ts";
import { runPgDump } from "../schema/pg-dump/run-pg-dump.ts";
import type { TargetAbilities } from "../target/abilities.ts";
import { plural } from "../util/format.ts";
import { freezeTables, LOCK_TIMEOUT_MS } from "./freeze-tables.ts";
import { type Opened, openSource } from "./open.ts";
import type { Preflight } from "./preflight/preflight.ts";
import { type Run, stage, warn } from "./run.ts";
import { usefulStreams } from "./copy/streams.ts";

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
  const snapshot = await stage(run, "snapshot", () => freezeTables(source, run.signal));
  const position = await readPosition(source);
  await warnOfUnseen(run, source);
  const program = await findProgram(run, { sourceVersion: source.serverVersion, targetVersion: opened.control.serverVersion });

  const args = [
    ...(await dumpArguments(run, source, snapshot, majorOf(source.serverVersion) !== majorOf(opened.control.serverVersion))),
    ...(await compressionArguments(run, source, found.abilities)),
  ];
  const connect = (): Promise<Session> => openSource(run, "pg_dump");
  const script = laterAwaited(stage(run, "pg-dump", () => runPgDump({ program, connect, args, signal: run.signal })));
  const catalog = await stage(run, "catalog", () => readCatalog(run, source));
  return {
    ...catalog,
    binaryObstacle: await binarySafety(opened, found),
    entries: withoutOwnerOfPublic(run, parseEntries(await script), found.abilities),
    skipExtensions: run.config.skipExtensions,
    streams: usefulStreams(run),
    rowHash: run.config.verify === "checksum" ? await hashesFor(opened) : undefined,
    steps: run.steps,
    rangeScans: source.serverVersion >= 140_000,
    snapshot,
    position,
    pgDump: describeProgram(program),
    program,
  };
}

export async function warnOfUnseen(run: Run, source: Session): Promise<void> {
  // files hold what only a superuser may read, too
  const unseen = run.config.strategy === "template" ? [] : await readUnseen(source);
  if (unseen.length === 0) return;
  warn(
    run,
    "not-visible",
    `Only a superuser may read all of the source's ${unseen.join(", ")}: the copy will not have them.`,
    "Use a superuser for the source, or add them on the target by hand.",
  );
}

/** What the catalog alone says. */
export type Catalog = Pick<
  PlanInput,
  "tables" | "selected" | "indexes" | "constraints" | "matviews" | "sequences" | "relations" | "largeObjects"
>;

export async function readCatalog(run: Run, source: Session): Promise<Catalog> {
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
  };
}

/** The copy has the source's encoding. */
async function hashesFor({ source, control, sourceIdentity: { encoding } }: Opened): Promise<RowHashes> {
  return await readRowHashes({ source, target: control }, { sourceEncoding: encoding, targetEncoding: encoding });
}

/**
 * pg_dump's, for one snapshot.
 * @param session In that database.
 */
export async function dumpArguments(run: Run, session: Session, snapshot: string, otherVersion: boolean): Promise<string[]> {
  const [view] = await session.query("SELECT FROM pg_catalog.pg_class WHERE relkind = 'm' LIMIT 1", [], run.signal);
  return [
    "--verbose",
    "--create",
    "--section=pre-data",
    "--section=post-data",
    // leaves out the REFRESH of materialized views; without any it says the same, and spares a query for the value of each sequence (a fifth of the time)
    ...(view ? [] : ["--schema-only"]),
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
export async function compressionArguments(run: Run, source: Session, abilities: TargetAbilities): Promise<string[]> {
  if (abilities.lz4 || source.serverVersion < 140_000) return [];
  const [row] = await source.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_catalog.pg_attribute WHERE attcompression = 'l' AND NOT attisdropped AND attrelid >= ${FIRST_NORMAL_OID}`,
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
export function withoutOwnerOfPublic(run: Run, entries: readonly SchemaEntry[], abilities: TargetAbilities): readonly SchemaEntry[] {
  const kept = entries.filter(
    ({ type, name, owner, sql }) =>
      type !== "SCHEMA" ||
      name !== "public" ||
      abilities.memberOf.has(owner) ||
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
