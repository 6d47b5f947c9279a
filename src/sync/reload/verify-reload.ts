import { type Difference, PgdittoError } from "../../errors.ts";
import { displayRemovable, placeOf, type Removable } from "../../catalog/removable/removable.ts";
import { displayIdent, displayName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { RowCounts } from "../../tasks/row-counts.ts";
import { plural } from "../../util/format.ts";
import { compareInventories } from "../../verify/compare.ts";
import { compareRows } from "../../verify/compare-rows.ts";
import type { Ends } from "../../verify/find-rows.ts";
import { type InventoryItem, readInventory } from "../../verify/inventory.ts";
import { tellNotCompared } from "../compare/verify-copy.ts";
import { notPutBack, type PutBackResult } from "../ledger/put-back.ts";
import type { Run } from "../run.ts";
import type { ReloadContents } from "./read-reload.ts";

interface Found {
  contents: ReloadContents;
  counts: ReadonlyMap<number, RowCounts>;
  /** What `rowDifferences` has found, while nothing kept the role from the rows. */
  rows: readonly Difference[];
  /** Of the target, before anything was taken off. */
  before: readonly InventoryItem[];
  back: PutBackResult;
}

/**
 * Rows of both sides, which were compared already, and everything that was taken off in the state that it had before.
 * @throws PgdittoError `verify` with every difference, `schema` when something could not be put back.
 */
export async function verifyReload(run: Run, target: Session, { contents, counts, rows, before, back }: Found): Promise<void> {
  const { plan, inTheWay } = contents;
  // an earlier run's NOT VALID that is proven now is no difference
  const loose = new Set(inTheWay.takenOff.filter(({ validate }) => validate === undefined).map((one) => displayRemovable(placeOf(one))));
  const better = back.back.filter(({ validate }) => validate !== undefined).map(displayRemovable);
  const told = new Set([
    ...better.filter((name) => loose.has(name)),
    ...back.differences.map(({ object }) => object),
    ...back.failed.map(({ entry }) => displayRemovable(entry)),
  ]);
  const touched = new Set(inTheWay.takenOff.filter((one) => !told.has(displayRemovable(placeOf(one)))).map(itemOf));
  const after = await readInventory(target, run.signal);
  const ofOurs = (item: InventoryItem): boolean => touched.has(`${item.kind} ${item.object}`);
  const differences = [
    ...rows,
    ...compareInventories(before.filter(ofOurs), after.filter(ofOurs), () => false).map((one) => ({
      ...one,
      source: `before: ${one.source}`,
    })),
    ...back.differences,
  ];
  tellVerified(run, contents, counts, differences);
  const failure = notPutBack(back);
  if (failure && (failure.code !== "verify" || differences.length === back.differences.length)) throw failure;
  if (differences.length === 0) return;
  throw new PgdittoError("verify", `The reloaded tables differ from what they should be in ${plural(differences.length, "place")}.`, {
    object: differences[0]?.object,
    side: "target",
    task: "validation",
    hint: `The ${plural(plan.rows.copied.length, "table")} ${plan.rows.copied.length === 1 ? "has its" : "have their"} new rows. Did somebody write to them meanwhile? Run again when nobody does.`,
    differences,
  });
}

export async function rowDifferences(
  run: Run,
  ends: Ends,
  { plan, rowHash }: ReloadContents,
  counts: ReadonlyMap<number, RowCounts>,
): Promise<Difference[]> {
  tellNotCompared(run, plan.rows.copied, rowHash);
  return await compareRows(plan.rows.copied, counts, { rowHash, ends: rowHash && ends, signal: run.signal });
}

export function tellVerified(
  run: Run,
  { plan, inTheWay, rowHash }: ReloadContents,
  counts: ReadonlyMap<number, RowCounts>,
  differences: readonly Difference[],
): void {
  const tables = plan.rows.copied;
  const rows = tables.reduce((sum, table) => sum + (counts.get(table.oid)?.source ?? 0), 0);
  const objects = inTheWay.takenOff.length;
  run.emit({ type: "verify:done", tables: tables.length, rows, objects, checksums: rowHash !== undefined, differences });
}

/** As the inventory names it. */
function itemOf({ kind, table, name }: Removable): string {
  const of = displayName(table.schema, table.name);
  if (kind === "index") return `index ${displayName(table.schema, name)}`;
  if (kind === "row-security") return `table ${of}`;
  return `${kind === "trigger" ? "trigger" : "constraint"} ${of} ${displayIdent(name)}`;
}
