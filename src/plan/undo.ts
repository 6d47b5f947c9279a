import type { ConstraintInfo, IndexInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { TriggerInfo } from "../catalog/triggers.ts";
import { quoteIdent, quoteQualified } from "../postgres/quote.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { LARGE_TABLE } from "./copies.ts";
import { families } from "./family.ts";
import { firstStepOf, type Place, placeBuilds } from "./places.ts";
import { splitEntries } from "./split-entries.ts";

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
 * Before rows of a table can come a second time, whatever would act on them goes, to be made again: foreign keys on either side (a table
 * that one refers to cannot be truncated, and what was proven for the old rows holds for them alone), checks that are NOT VALID, and
 * triggers (they would fire). So do
 * the plain indexes of a large table that is emptied, because filling it would cost more than making them. Of objects that are made
 * in two steps a first one goes when the new plan has no use for it.
 */
export function planUndo(input: UndoInput): Undo {
  const places = placeBuilds(splitEntries(input.entries, []).builds, input);
  const taken = [...constraintsOnRows(places, input), ...triggersOnRows(input), ...largeIndexes(places, input), ...halfMade(places, input)];
  const dumpIds = new Set(taken.map(({ entry }) => entry.dumpId));
  const withThem = input.entries.filter(
    (entry) => entry.dependencies.some((id) => dumpIds.has(id)) && /^(COMMENT|SECURITY LABEL)$/.test(entry.type),
  );
  const refreshes = input.rowsCome ? input.entries.filter((entry) => entry.type === "MATERIALIZED VIEW DATA") : [];
  const gone = [...taken.map(({ entry }) => entry), ...withThem, ...refreshes].flatMap((entry) => [entry.key, firstStepOf(entry)]);
  return {
    statements: [...taken.flatMap(({ statement }) => statement ?? []), ...removals(input.rows)],
    forgotten: new Set(gone.filter((key) => input.applied.has(key))),
  };
}

/** An entry whose object is taken away, by this statement or along with another one. */
interface Taken {
  entry: SchemaEntry;
  statement: string | undefined;
}

/**
 * Foreign keys, and checks that came behind the rows (NOT VALID: there may be rows that break them). Those of a partitioned table stand for
 * its partitions', which go with them, so the partitions' own are made again too; top down, for one from above cannot be dropped below.
 */
function constraintsOnRows(places: readonly Place[], input: UndoInput): Taken[] {
  const touched = touchedTables(input);
  const family = families([...input.tables.values()]);
  const there = places.filter(
    ({ entry, constraint }) =>
      /^[fcn]$/.test(constraint?.type ?? "") && (input.applied.has(entry.key) || input.applied.has(firstStepOf(entry))),
  );
  const acting = there.filter(({ table, foreignKey }) => touched.has(table) || (foreignKey && touched.has(foreignKey.refTable)));
  const below = new Set(acting.flatMap(({ table }) => family.withDescendants(table)));
  return there
    .filter(({ table }) => below.has(table))
    .toSorted((a, b) => family.withDescendants(b.table).length - family.withDescendants(a.table).length)
    .map(({ entry, table, constraint }) => ({ entry, statement: constraint && dropConstraint(input.tables.get(table), constraint.name) }));
}

function triggersOnRows(input: UndoInput): Taken[] {
  const touched = touchedTables(input);
  const family = families([...input.tables.values()]);
  const below = new Set([...touched].flatMap((oid) => family.withDescendants(oid)));
  const byOid = new Map(input.triggers.map((trigger) => [trigger.oid, trigger]));
  return input.entries.flatMap((entry): Taken[] => {
    const trigger = entry.type === "TRIGGER" ? byOid.get(entry.oid) : undefined;
    const table = trigger && input.tables.get(trigger.table);
    if (!table || !input.applied.has(entry.key)) return [];
    // an entry may also be only about the state of a partition's trigger, which goes with the one it was made from
    const isMaker = /^(?:--[^\n]*\n|\s)*CREATE\b/.test(entry.sql);
    if (!isMaker) return below.has(trigger.table) ? [{ entry, statement: undefined }] : [];
    const drop = `DROP TRIGGER IF EXISTS ${quoteIdent(trigger.name)} ON ${quoteQualified(table.schema, table.name)}`;
    return touched.has(trigger.table) ? [{ entry, statement: drop }] : [];
  });
}

function largeIndexes(places: readonly Place[], input: UndoInput): Taken[] {
  const emptied = new Set(
    input.rows.filter(({ table, xids }) => xids === "all" && table.bytes >= LARGE_TABLE).map(({ table }) => table.oid),
  );
  return places.flatMap(({ entry, index, constraint, table }) => {
    // a partition's index belongs to its parent's
    if (!index || constraint || index.parent !== undefined || !emptied.has(table) || !input.applied.has(entry.key)) return [];
    return [{ entry, statement: dropIndex(index) }];
  });
}

function halfMade(places: readonly Place[], input: UndoInput): Taken[] {
  return places.flatMap(({ entry, index, foreignKey, table }) => {
    const first = firstStepOf(entry);
    if (input.applied.has(entry.key) || !input.applied.has(first) || input.planned.has(first)) return [];
    if (foreignKey) return [{ entry, statement: dropConstraint(input.tables.get(table), foreignKey.name) }];
    return index ? [{ entry, statement: dropIndex(index) }] : [];
  });
}

function dropConstraint(table: TableInfo | undefined, name: string): string | undefined {
  return table && `ALTER TABLE IF EXISTS ${quoteQualified(table.schema, table.name)} DROP CONSTRAINT IF EXISTS ${quoteIdent(name)}`;
}

function dropIndex({ schema, name }: IndexInfo): string {
  return `DROP INDEX IF EXISTS ${quoteQualified(schema, name)}`;
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

/** Those with rows to copy again, and what they are partitions of: foreign keys and triggers of a partitioned table act on its partitions. */
function touchedTables({ rows, tables }: UndoInput): Set<number> {
  const found = new Set<number>();
  const visit = (table: TableInfo | undefined): void => {
    if (!table || found.has(table.oid)) return;
    found.add(table.oid);
    for (const oid of table.parents) visit(tables.get(oid));
  };
  for (const { table } of rows) for (const place of [table, ...(table.parts ?? [])]) visit(place);
  return found;
}
