import type { ConstraintInfo, IndexInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { TriggerInfo } from "../catalog/triggers.ts";
import { quoteIdent, quoteQualified } from "../postgres/quote.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { firstStepOf, placeBuilds } from "./places.ts";

/** What a run that goes on takes back of what an earlier one did, in one transaction. */
export interface Undo {
  statements: readonly string[];
  /** Keys of schema entries that are not there any more. */
  forgotten: ReadonlySet<string>;
}

interface UndoInput {
  /** Tables with rows that have to be copied again, and the transactions on the target that brought them; none: all of the table's. */
  rows: ReadonlyArray<{ table: TableInfo; xids: readonly string[] | "all" }>;
  /** Keys that the journal has. */
  applied: ReadonlySet<string>;
  /** Keys that the tasks of the new plan make. */
  planned: ReadonlySet<string>;
  entries: readonly SchemaEntry[];
  tables: ReadonlyMap<number, TableInfo>;
  indexes: readonly IndexInfo[];
  constraints: readonly ConstraintInfo[];
  triggers: readonly TriggerInfo[];
  /** Whether any rows come that were not there: then materialized views are filled again. */
  rowsCome: boolean;
}

/**
 * Before rows of a table can come a second time, whatever would act on them goes, to be made again: foreign keys on either side (a table that one refers
 * to cannot be truncated, and what was proven for the old rows holds for them alone) and triggers (they would fire). Indexes stay. Of objects that
 * are made in two steps a first one goes when the new plan has no use for it.
 */
export function planUndo(input: UndoInput): Undo {
  const touched = withAncestors(
    input.rows.map(({ table }) => table),
    input.tables,
  );
  const statements: string[] = [];
  const gone: SchemaEntry[] = [];
  const isThere = ({ key }: SchemaEntry): boolean => input.applied.has(key);

  for (const { entry, foreignKey: key, table } of placeBuilds(input.entries, input)) {
    if (!key || !(touched.has(table) || touched.has(key.refTable)) || !(isThere(entry) || isFirstStepThere(entry, input))) continue;
    statements.push(dropConstraint(input.tables.get(table), key.name));
    gone.push(entry);
  }
  const triggers = new Map(input.triggers.map((trigger) => [trigger.oid, trigger]));
  for (const entry of input.entries) {
    const trigger = entry.type === "TRIGGER" ? triggers.get(entry.oid) : undefined;
    if (!trigger || !touched.has(trigger.table) || !isThere(entry)) continue;
    // an entry may also be only about the state of a partition's trigger, which goes with the one it was made from
    const table = input.tables.get(trigger.table);
    if (table && /\bCREATE\b/.test(entry.sql))
      statements.push(`DROP TRIGGER IF EXISTS ${quoteIdent(trigger.name)} ON ${quoteQualified(table.schema, table.name)}`);
    gone.push(entry);
  }
  for (const { entry, index, foreignKey, table } of placeBuilds(input.entries, input)) {
    if (isThere(entry) || gone.includes(entry) || !isFirstStepThere(entry, input) || input.planned.has(firstStepOf(entry))) continue;
    if (foreignKey) statements.push(dropConstraint(input.tables.get(table), foreignKey.name));
    else if (index) statements.push(`DROP INDEX IF EXISTS ${quoteQualified(index.schema, index.name)}`);
    gone.push(entry);
  }
  statements.push(...removals(input.rows));

  const goneIds = new Set(gone.map((entry) => entry.dumpId));
  const withThem = input.entries.filter(
    (entry) => entry.dependencies.some((id) => goneIds.has(id)) && /^(COMMENT|SECURITY LABEL)$/.test(entry.type),
  );
  const refreshes = input.rowsCome ? input.entries.filter((entry) => entry.type === "MATERIALIZED VIEW DATA") : [];
  const forgotten = [...gone, ...withThem, ...refreshes].flatMap((entry) => [entry.key, firstStepOf(entry)]);
  return { statements, forgotten: new Set(forgotten.filter((key) => input.applied.has(key))) };
}

function isFirstStepThere(entry: SchemaEntry, { applied }: UndoInput): boolean {
  return applied.has(firstStepOf(entry));
}

function dropConstraint(table: TableInfo | undefined, name: string): string {
  return table ? `ALTER TABLE IF EXISTS ${quoteQualified(table.schema, table.name)} DROP CONSTRAINT IF EXISTS ${quoteIdent(name)}` : "";
}

/** Emptied tables go together: the ones that refer to each other could not go alone. */
function removals(rows: UndoInput["rows"]): string[] {
  const emptied = rows
    .filter(({ xids }) => xids === "all")
    .map(({ table }) => `${table.parts ? "" : "ONLY "}${quoteQualified(table.schema, table.name)}`);
  const deletions = rows.flatMap(({ table, xids }) =>
    xids === "all"
      ? []
      : [
          `DELETE FROM ONLY ${quoteQualified(table.schema, table.name)} WHERE xmin = ANY ('{${xids.map(low).join(",")}}'::pg_catalog.xid[])`,
        ],
  );
  return [...(emptied.length > 0 ? [`TRUNCATE ${emptied.join(", ")}`] : []), ...deletions];
}

/** As rows hold it. */
function low(xid: string): string {
  return String(BigInt(xid) % 2n ** 32n);
}

/** Foreign keys and triggers of a partitioned table act on its partitions. */
function withAncestors(tables: readonly TableInfo[], byOid: ReadonlyMap<number, TableInfo>): Set<number> {
  const found = new Set<number>();
  const visit = (table: TableInfo | undefined): void => {
    if (!table || found.has(table.oid)) return;
    found.add(table.oid);
    for (const oid of table.parents) visit(byOid.get(oid));
  };
  for (const table of tables) for (const place of [table, ...(table.parts ?? [])]) visit(byOid.get(place.oid) ?? place);
  return found;
}
