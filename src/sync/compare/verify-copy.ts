import type { RowHashes } from "../../catalog/row-hash.ts";
import type { TableInfo } from "../../catalog/tables.ts";
import { type Difference, PgdittoError } from "../../errors.ts";
import type { Plan } from "../../plan/build-plan.ts";
import type { Session } from "../../postgres/session.ts";
import type { TemplateObject } from "../../target/template-objects.ts";
import type { RowCounts } from "../../tasks/row-counts.ts";
import { displayIdent, displayName } from "../../postgres/quote.ts";
import { plural } from "../../util/format.ts";
import { compareLargeObjects } from "../../verify/compare-large-objects.ts";
import { compareInventories } from "../../verify/compare.ts";
import { compareRows } from "../../verify/compare-rows.ts";
import { type InventoryItem, readInventory } from "../../verify/inventory.ts";
import { stepsOf } from "../own-sql-steps.ts";
import { info, type Run, warn } from "../run.ts";
import { PHASES } from "../copy/task-events.ts";

/**
 * Counts and objects of both sides, the source's as the snapshot shows them.
 * @throws PgdittoError `verify` with every difference; then nothing is swapped.
 */
export async function verifyCopy(
  run: Run,
  options: {
    plan: Plan;
    counts: ReadonlyMap<number, RowCounts>;
    source: () => Promise<readonly InventoryItem[]>;
    staging: Session;
    /** `--verify checksum`; `inSnapshot` finds the rows that differ, where it still can. */
    checksums?: { rowHash: RowHashes; inSnapshot: Session | undefined } | undefined;
    /** Foreign keys by OID that refer to rows which were not selected. */
    leftOut: ReadonlySet<number>;
    /** What the source has not, and could not be dropped. */
    kept: readonly TemplateObject[];
    /** What to make of a difference. */
    hint: string;
  },
): Promise<void> {
  run.emit({ type: "phase:started", phase: 4, of: 4, name: PHASES[4] });
  const { plan, counts, checksums } = options;
  const tables = plan.copied;
  const rowHash = checksums?.rowHash;
  const ends = checksums?.inSnapshot && { source: checksums.inSnapshot, target: options.staging };
  tellNotCompared(run, tables, rowHash);
  const [all, target] = await Promise.all([options.source(), readInventory(options.staging, run.signal)]);
  const source = withoutBrokenIndexes(run, all, target);
  // which rows differ cannot be told any more: own SQL has been at work on them since they were counted
  const altered = stepsOf(run, "after-data").length > 0;
  const objects = compareInventories(source, target, (item) => isExpected(item, options));
  const differences: Difference[] = [
    ...(await compareRows(tables, counts, { rowHash, ends: altered ? undefined : ends, signal: run.signal })),
    ...(ends ? (await compareLargeObjects(ends, { contents: true, signal: run.signal })).differences : []),
    ...withoutAdded(run, objects),
  ];
  const rows = tables.reduce((sum, table) => sum + (counts.get(table.oid)?.source ?? 0), 0);
  run.emit({ type: "verify:done", tables: tables.length, rows, objects: source.length, checksums: rowHash !== undefined, differences });
  if (differences.length === 0) return;
  throw new PgdittoError("verify", `The copy differs from the source in ${plural(differences.length, "place")}. Nothing was swapped.`, {
    object: differences[0]?.object,
    side: "target",
    task: "validation",
    hint: options.hint,
    differences,
  });
}

/** Generated columns that the target may rightly compute otherwise. */
export function tellNotCompared(run: Run, tables: readonly TableInfo[], rowHash: RowHashes | undefined): void {
  const columns = tables.flatMap((table) =>
    (rowHash?.(table).leftOut ?? []).map((column) => `${displayName(table.schema, table.name)}.${displayIdent(column)}`),
  );
  if (columns.length === 0) return;
  const more = columns.length > 10 ? ` and ${columns.length - 10} more` : "";
  info(run, "generated-not-compared", `Generated columns that are not compared: ${columns.slice(0, 10).join(", ")}${more}.`);
}

/** What a failed CREATE INDEX CONCURRENTLY leaves behind: pg_dump leaves it out, and nobody can use it. */
function withoutBrokenIndexes(run: Run, source: readonly InventoryItem[], target: readonly InventoryItem[]): readonly InventoryItem[] {
  const there = new Set(target.filter((item) => item.kind === "index").map((item) => item.object));
  const broken = source.filter((item) => item.kind === "index" && item.state.startsWith("INVALID") && !there.has(item.object));
  for (const { object } of broken) {
    warn(
      run,
      "invalid-index",
      `Index ${object} is INVALID on the source, and is left out.`,
      "Drop it there, or REINDEX it: most often a CREATE INDEX CONCURRENTLY has failed.",
    );
  }
  return source.filter((item) => !broken.includes(item));
}

/** The user's own SQL may make objects of its own; what it takes away or alters is a difference like any other. */
function withoutAdded(run: Run, differences: readonly Difference[]): readonly Difference[] {
  if (stepsOf(run, "before", "after-schema", "after-data").length === 0) return differences;
  const added = differences.filter(({ source }) => source === "missing");
  if (added.length > 0) {
    const names = added.slice(0, 10).map(({ kind, object }) => `${kind} ${object}`);
    const more = added.length > 10 ? ` and ${added.length - 10} more` : "";
    info(run, "objects-added", `The source does not have ${names.join(", ")}${more}: own SQL has made them.`);
  }
  return differences.filter(({ source }) => source !== "missing");
}

function isExpected(item: InventoryItem, options: { plan: Plan; leftOut: ReadonlySet<number>; kept: readonly TemplateObject[] }): boolean {
  const { plan, leftOut, kept } = options;
  if (kept.some(({ kind, name }) => item.kind === kind && item.object === name)) return true;
  if (item.kind === "extension")
    return plan.skipped.some((entry) => entry.type === "EXTENSION" && entry.name === item.object.replaceAll('"', ""));
  // a foreign key into rows that were not selected may be NOT VALID or missing; the run said so
  return item.kind === "constraint" && leftOut.has(item.oid);
}
