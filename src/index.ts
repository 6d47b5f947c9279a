/**
 * pgditto as a library: the same runs as the command line's, as functions. Nothing is global: several runs in one process do not
 * know of each other. Nothing is printed, and the environment is read only when it is passed.
 */
import { resolve } from "node:path";

import type { Obstacle } from "./errors.ts";
import { summarizePlan, type PlanSummary } from "./plan/render-plan.ts";
import { compareDatabases, type VerifyResult } from "./sync/compare/compare-databases.ts";
import { examine, examinePlan, type Diagnosis, type Replaces } from "./sync/examine.ts";
import { listLeftovers, removeLeftovers } from "./sync/clean-up.ts";
import { type DropResult, dropConstraints as runDrop } from "./sync/constraints/drop-constraints.ts";
import { listConstraints as runList, type OffList } from "./sync/constraints/list-constraints.ts";
import { restoreConstraints as runRestore, type RestoreResult } from "./sync/constraints/restore-constraints.ts";
import { repair as runRepair, type RepairResult } from "./sync/ledger/repair.ts";
import type { TakenOff } from "./sync/reload/examine-reload.ts";
import { type ExportResult, runExport } from "./sync/dump/run-export.ts";
import { runImport } from "./sync/dump/run-import.ts";
import { syncThroughDump } from "./sync/dump/sync-through-dump.ts";
import type { SyncResult } from "./sync/result.ts";
import type { Run } from "./sync/run.ts";
import { runSync } from "./sync/sync.ts";
import type { TemplateOffer } from "./sync/template-offer.ts";
import { type RunOptions, withRun } from "./sync/with-run.ts";
import type { Leftover } from "./target/leftovers.ts";

export type { EndpointOptions } from "./config/endpoint-options.ts";
export type { PgdittoOptions } from "./config/pgditto-options.ts";
export type { HookSession, SqlHook, SqlHooks } from "./config/sql/hooks.ts";
export type { SqlStage } from "./config/sql/stages.ts";
export { ERROR_CODES, PgdittoError, type Difference, type DifferentRow, type ErrorCode, type Obstacle, type Side } from "./errors.ts";
export {
  type Advice,
  EVENT_FORMAT,
  type EndpointSummary,
  type ErrorSummary,
  type PhaseNumber,
  type Stage,
  type SyncEvent,
  type SyncEventBody,
  type TaskKind,
} from "./events.ts";
export type { PlanSummary } from "./plan/render-plan.ts";
export { chromeTrace } from "./report/trace.ts";
export type { ChromeTrace, TraceEvent } from "./report/trace-event.ts";
export type { VerifyResult } from "./sync/compare/compare-databases.ts";
export type { DroppedConstraint, DropResult } from "./sync/constraints/drop-constraints.ts";
export type { OffList } from "./sync/constraints/list-constraints.ts";
export type { RestoreResult } from "./sync/constraints/restore-constraints.ts";
export type { RepairResult } from "./sync/ledger/repair.ts";
export type { Diagnosis, Replaces } from "./sync/examine.ts";
export type { TakenOff } from "./sync/reload/examine-reload.ts";
export type { ExportResult } from "./sync/dump/run-export.ts";
export type { CopiedTable, SyncResult } from "./sync/result.ts";
export type { ReplaceQuestion } from "./sync/run.ts";
export type { TemplateOffer } from "./sync/template-offer.ts";
export { VERSION } from "./sync/version.ts";
export type { RunOptions } from "./sync/with-run.ts";
export type { LedgerEntry, LedgerPurpose } from "./target/ledger.ts";
export type { Leftover } from "./target/leftovers.ts";

/**
 * Copies the source into the target, verifies the copy and swaps it in.
 * @throws PgdittoError with a literal `code`; see ERROR_CODES for what each means. Unless the swap was done, the target is as it was.
 */
export async function sync(options: RunOptions = {}): Promise<SyncResult> {
  return withRun(options, (run) => (run.config.via === "dump" ? syncThroughDump(run) : runSync(run)));
}

export interface PlanResult extends PlanSummary {
  obstacles: readonly Obstacle[];
  /** Which pg_dump reads the schema; empty with mode `truncate`, which needs none. */
  pgDump: string;
  replaces: Replaces;
  /** What `strategy: "template"` would take, where it is possible: both databases on one server, everything selected. */
  template: TemplateOffer | undefined;
  /** With mode `truncate`: what is taken off the target's tables meanwhile, and put back. Otherwise nothing is. */
  takenOff: readonly TakenOff[];
}

/** What `sync` would do; writes nothing. @throws PgdittoError */
export async function plan(options: RunOptions = {}): Promise<PlanResult> {
  return withRun(options, async (run) => {
    const { plan: made, ...facts } = await examinePlan(run);
    const { obstacles, pgDump, replaces, template, takenOff } = facts;
    const summary = summarizePlan(made, run.config.mode === "truncate" ? "not selected; the rows on the target stay" : undefined);
    return { ...summary, obstacles, pgDump, replaces, template, takenOff };
  });
}

/**
 * Compares the two databases as they are: schema, rows (`verify`: by checksum unless `counts` is asked for), sequences, large objects.
 * Each side is read under one snapshot; nothing is written. Differences are in the result and no error.
 * @throws PgdittoError when a side cannot be reached or read.
 */
export async function verify(options: RunOptions = {}): Promise<VerifyResult> {
  return withRun(options, compareDatabases);
}

/**
 * Writes the whole source into a folder, new or empty: schema, rows (an installed pg_dump writes them), large objects, and a manifest with the
 * digest of every file. @param folder Relative to `cwd`. @throws PgdittoError; what was written is removed then.
 */
export async function exportDump(folder: string, options: RunOptions = {}): Promise<ExportResult> {
  return withRun({ ...options, via: "dump" }, (run) => runExport(run, pathOf(folder, run)));
}

/**
 * Makes the target of a folder that `exportDump` has written: the same staging, validation and swap as `sync`, and no source. An installed
 * pg_restore reads the rows. @throws PgdittoError `dump-folder` when a file is not as it was written; the target is as it was.
 */
export async function importDump(folder: string, options: RunOptions = {}): Promise<SyncResult> {
  return withRun({ ...options, via: "dump" }, (run) => runImport(run, pathOf(folder, run)));
}

function pathOf(folder: string, { machine }: Run): string {
  return resolve(machine.cwd ?? "/", folder);
}

/** Every obstacle to a sync at once, each with its fix; writes nothing. @throws PgdittoError when a side cannot be reached. */
export async function doctor(options: RunOptions = {}): Promise<Diagnosis> {
  return withRun(options, examine);
}

/** Databases that runs left on the target's cluster, those of living runs included (`alive`). @throws PgdittoError */
export async function leftovers(options: RunOptions = {}): Promise<readonly Leftover[]> {
  return withRun(options, listLeftovers);
}

/** Drops the given ones whose run is dead; returns how many are gone. @throws PgdittoError */
export async function cleanup(list: readonly Leftover[], options: RunOptions = {}): Promise<number> {
  return withRun(options, (run) => removeLeftovers(run, list));
}

/**
 * Takes constraints off the target's tables, to be put back later: `kinds`, `tables` and the like choose which, `save` and `dryRun` as on the
 * command line. Each goes in one transaction with the row of `pgditto.ledger` that brings it back. The source is not connected to.
 * @throws PgdittoError `preflight` with every obstacle, and then nothing was touched; `locked` when another run holds the target.
 */
export async function dropConstraints(options: RunOptions = {}): Promise<DropResult> {
  return withRun(options, runDrop);
}

/**
 * Puts back what `dropConstraints` took off, or a part of it; what is back already counts.
 * @throws PgdittoError `verify` with the rows that break a constraint, `schema` when one cannot be put back: all others are back then.
 */
export async function restoreConstraints(options: RunOptions = {}): Promise<RestoreResult> {
  return withRun(options, runRestore);
}

/** What is off in the target at the moment; writes nothing. @throws PgdittoError */
export async function listConstraints(options: RunOptions = {}): Promise<OffList> {
  return withRun(options, runList);
}

/**
 * Puts back what reloads that died had taken off in the target; those that live are left alone. `yes`: also what came with a copy of another
 * database.
 * @throws PgdittoError as `restoreConstraints`, and `preflight` for a ledger that came with a copy.
 */
export async function repair(options: RunOptions = {}): Promise<RepairResult> {
  return withRun(options, runRepair);
}
