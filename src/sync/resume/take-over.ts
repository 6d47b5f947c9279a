import { splitEntries } from "../../plan/split-entries.ts";
import { listCopies } from "../../plan/copies.ts";
import type { TableInfo } from "../../catalog/tables.ts";
import { readTriggers } from "../../catalog/triggers.ts";
import { PgdittoError } from "../../errors.ts";
import { buildPlan, type Plan } from "../../plan/build-plan.ts";
import { firstStepOf } from "../../plan/places.ts";
import { isSqlKey, sqlInTheWay } from "../../plan/sql-step.ts";
import type { KeptRange } from "../../plan/split-table.ts";
import { planUndo } from "../../plan/undo.ts";
import type { Session } from "../../postgres/session.ts";
import { importSnapshot } from "../../postgres/snapshot.ts";
import { forgetSql, type Journal, journalSchema, readApplied, readCopies } from "../../tasks/journal.ts";
import { describeJudged, type Judged, proveUnchanged, rangeOfId } from "../../tasks/prove-unchanged.ts";
import { disposables } from "../../util/disposables.ts";
import { formatBytes } from "../../util/format.ts";
import { groupBy, inSlices } from "../../util/group-by.ts";
import type { Resumable } from "./find-resumable.ts";
import { durableBoundary } from "./durable-boundary.ts";
import { type Opened, openSource, openStaging } from "../open.ts";
import type { SourceContents } from "../read-source.ts";
import { info, type Run } from "../run.ts";
import { laterAwaited } from "../../util/wait.ts";

/** A staging database of an earlier run, made fit for this run's plan. */
export interface TakenOver {
  plan: Plan;
  journal: Journal;
}

/** So many copies that are done again are told by name. */
const NAMED = 5;

/**
 * Makes the plan of a run that goes on: finished copies stay where they are proven unchanged under this run's snapshot, everything else of them is
 * taken back. Undefined when the source's schema has changed in what is there already: it is said, and nothing of the earlier run can be used.
 */
export async function takeOver(run: Run, opened: Opened, contents: SourceContents, resumable: Resumable): Promise<TakenOver | undefined> {
  refuseOlderSource(resumable, contents);
  await using staging = await openStaging(run, resumable.staging, "resume");
  const schema = journalSchema(resumable.run);
  const applied = await readApplied(staging, schema);
  const inTheWay = sqlInTheWay(applied);
  if (inTheWay !== undefined) {
    info(run, "nothing-to-resume", `What run ${resumable.run} made cannot be gone on with: ${inTheWay}. This is a new run.`);
    return undefined;
  }
  const changed = changedSince(applied, contents);
  if (changed > 0) {
    info(
      run,
      "schema-changed",
      `The source's schema has changed since run ${resumable.run}: ${changed} of the statements that it ran are not in there any more. This is a new run.`,
    );
    return undefined;
  }
  const tables = withThrough(contents);
  const judged = await prove(run, opened, contents, await readCopies(staging, schema), tables);
  const again = withNeighbours(judged, applied, contents);
  const keptCopies = judged.filter((one) => !again.includes(one)).map(({ copy }) => copy);
  const kept = new Map<number, KeptRange[]>(
    [...groupBy(keptCopies, ({ table }) => table)].map(([table, copies]) => [table, copies.map(({ id }) => rangeOfId(id))]),
  );
  const plan = buildPlan({ ...contents, kept });
  const copies = new Map(keptCopies.map((copy) => [copy.id, copy]));
  const rowsCome = plan.copies.some(({ id }) => !copies.has(id));
  if (rowsCome && hasDomainCheck(applied, contents)) {
    info(
      run,
      "nothing-to-resume",
      `A domain's constraint that its rows break is there already in what run ${resumable.run} made: this is a new run.`,
    );
    return undefined;
  }
  const undo = planUndo({
    rows: rowsToRemove(again, tables, kept),
    applied,
    planned: new Set(
      plan.tasks.flatMap((task) => ("entries" in task ? task.entries : "entry" in task ? [task.entry] : [])).map((entry) => entry.key),
    ),
    entries: contents.entries,
    tables,
    indexes: contents.indexes,
    constraints: contents.constraints,
    triggers: await readTriggers(opened.source),
    rowsCome,
  });
  const facts = JSON.stringify({ ...resumable.facts, lsn: contents.position.lsn });
  const forget = forgetSql(schema, { copies: again.map(({ copy }) => copy.id), applied: [...undo.forgotten], facts });
  await staging.run(["BEGIN", ...undo.statements, forget, "COMMIT"].join("; "), run.signal);
  await removeLargeObjects(staging, contents, run.signal);
  tell(run, resumable, plan, { again, kept: keptCopies.length, bytes: keptCopies.reduce((sum, copy) => sum + copy.bytes, 0), tables });
  return {
    plan,
    journal: {
      schema,
      boundary: laterAwaited(durableBoundary(run, opened.source, contents.position)),
      held: { copies, applied: new Set([...applied].filter((key) => !undo.forgotten.has(key))) },
    },
  };
}

/** A restored server, or a standby that is behind, may give numbers of transactions out again. */
function refuseOlderSource({ facts, staging }: Resumable, { position }: SourceContents): void {
  if (lsnOf(position.lsn) >= lsnOf(facts.lsn)) return;
  throw new PgdittoError(
    "not-resumable",
    `The source shows an older state (${position.lsn}) than ${staging} was made from (${facts.lsn}).`,
    {
      object: staging,
      side: "source",
      hint: "A standby may be behind: try again when it has caught up. After a restore run without --resume, which starts anew.",
    },
  );
}

function lsnOf(text: string): bigint {
  const [high = "0", low = "0"] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** How many of the entries that are there the source does not have in these words any more. */
function changedSince(applied: ReadonlySet<string>, { entries }: SourceContents): number {
  const wanted = new Set(entries.flatMap((entry) => [entry.key, firstStepOf(entry)]));
  return [...applied].filter((key) => !wanted.has(key) && !isSqlKey(key)).length;
}

/** NOT VALID, it holds for rows that come from now on; it belongs to no table, so nobody knows which rows it would refuse. */
function hasDomainCheck(applied: ReadonlySet<string>, { entries, constraints }: SourceContents): boolean {
  const ofTables = new Set(constraints.map(({ oid }) => oid));
  return entries.some((entry) => entry.type === "CHECK CONSTRAINT" && !ofTables.has(entry.oid) && applied.has(entry.key));
}

/** By OID; a table that rows are loaded through is its partitions together, as its copy was. */
function withThrough(contents: SourceContents): Map<number, TableInfo> {
  const tables = new Map(contents.tables.map((table) => [table.oid, table]));
  const { skipped } = splitEntries(contents.entries, contents.skipExtensions);
  for (const { table } of listCopies({ ...contents, kept: new Map() }, skipped)) tables.set(table.oid, table);
  return tables;
}

async function prove(
  run: Run,
  opened: Opened,
  contents: SourceContents,
  copies: Parameters<typeof proveUnchanged>[1],
  tables: ReadonlyMap<number, TableInfo>,
): Promise<Judged[]> {
  await using sessions = disposables();
  const others = Math.min(run.config.jobs * run.config.batchSize, Math.ceil(copies.length / 20)) - 1;
  const joined = await Promise.all(
    Array.from({ length: Math.max(0, others) }, async () => {
      const session = sessions.use(await openSource(run, "proof"));
      await importSnapshot(session, contents.snapshot);
      return session;
    }),
  );
  return await proveUnchanged([opened.source, ...joined], copies, tables, { position: contents.position, signal: run.signal });
}

const ON_ROWS = new Set(["RULE", "POLICY", "ROW SECURITY", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"]);

/** Those to copy again. Rules and policies act on DELETE, and a publication may refuse it: where they are there already, a range does not go without the rest of its table. */
function withNeighbours(judged: readonly Judged[], applied: ReadonlySet<string>, { entries }: SourceContents): Judged[] {
  const acting = entries.some((entry) => ON_ROWS.has(entry.type) && applied.has(entry.key));
  const tables = new Set(judged.filter(({ reason }) => reason !== undefined).map(({ copy }) => copy.table));
  return judged.filter(({ copy, reason }) => reason !== undefined || (acting && tables.has(copy.table)));
}

function rowsToRemove(
  again: readonly Judged[],
  tables: ReadonlyMap<number, TableInfo>,
  kept: ReadonlyMap<number, unknown>,
): Parameters<typeof planUndo>[0]["rows"] {
  return [...groupBy(again, ({ copy }) => copy.table)].flatMap(([oid, copies]) => {
    const table = tables.get(oid);
    if (!table) return [];
    // an extension has put rows of its own into its tables
    const some = kept.has(oid) || table.extension !== undefined;
    return [{ table, xids: some ? copies.map(({ copy }) => copy.xid) : ("all" as const) }];
  });
}

/** Those that the source has no more; the others are written anew. */
async function removeLargeObjects(staging: Session, { largeObjects }: SourceContents, signal: AbortSignal): Promise<void> {
  const rows = await staging.query<{ oid: number }>("SELECT oid FROM pg_catalog.pg_largeobject_metadata", [], signal);
  const wanted = new Set(largeObjects.map((object) => object.oid));
  const gone = rows.map((row) => row.oid).filter((oid) => !wanted.has(oid));
  // a lock each
  for (const slice of inSlices(gone, 200))
    await staging.query("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS oid", [slice], signal);
}

function tell(
  run: Run,
  { run: earlier, staging }: Resumable,
  plan: Plan,
  done: { again: readonly Judged[]; kept: number; bytes: number; tables: ReadonlyMap<number, TableInfo> },
): void {
  const reasons = [...new Set(done.again.map((judged) => describeJudged(judged, done.tables)))];
  const more = reasons.length > NAMED ? `, and ${reasons.length - NAMED} more` : "";
  const again = reasons.length > 0 ? ` Copied again: ${reasons.slice(0, NAMED).join("; ")}${more}.` : "";
  info(
    run,
    "resumed",
    `Going on with run ${earlier} in ${staging}: of the ${plan.copies.length} copies of this plan, ${done.kept} (${formatBytes(done.bytes)}) ` +
      `are there, are proven unchanged, and stay.${again}`,
  );
}
