import { readWithAncestors } from "../../catalog/ancestors.ts";
import { readConstraintsOf } from "../../catalog/removable/constraints.ts";
import { readForeignKeys, type RemovableForeignKey } from "../../catalog/removable/foreign-keys.ts";
import { readSecondaryIndexes } from "../../catalog/removable/indexes.ts";
import type { Removable } from "../../catalog/removable/removable.ts";
import { readEnabledTriggers, readForcedRowSecurity } from "../../catalog/removable/triggers.ts";
import { readStaleViews } from "../../catalog/stale-views.ts";
import { shapeKey, type TableShape } from "../../catalog/table-shapes.ts";
import type { TableInfo } from "../../catalog/tables.ts";
import type { Session } from "../../postgres/session.ts";
import { mayBeReplica, readFillRights } from "../../target/fill-rights.ts";
import type { Run } from "../run.ts";

/** What of the target's tables stands in the way of new rows, and is taken off for them. */
export interface InTheWay {
  /** OIDs on the target: what is emptied and filled, with the partitions below it. */
  filled: ReadonlySet<number>;
  /** Sessions may say that they are a replica's, so that event triggers take no notice of what is taken off and put back. */
  mayBeReplica: boolean;
  /** Those that load do: triggers and foreign keys keep quiet then. */
  replica: boolean;
  foreignKeys: readonly RemovableForeignKey[];
  rowSecurity: readonly Removable[];
  /** Materialized views that read the tables: they are not refreshed. */
  staleViews: readonly string[];
  /** In this order. With `--atomic` only triggers: taking off anything else would keep readers out. What breaks foreign keys is found before the commit. */
  takenOff: ReadonlyArray<Removable & { refTable?: number; index?: number }>;
}

export async function readInTheWay(
  run: Run,
  { source, control }: { source: Session; control: Session },
  look: { copied: readonly TableInfo[]; shapes: ReadonlyMap<string, TableShape> },
): Promise<InTheWay> {
  const filled = filledOids(look.copied, look.shapes);
  const may = await mayBeReplica(control);
  const replica = may && !(await hasLateKeys(control, filled));
  const foreignKeys = await readForeignKeys(control, filled);
  const triggers = await readEnabledTriggers(control, filled, replica ? "always-or-replica" : "all");
  // proving a foreign key reads both of its tables
  const outside = (await readFillRights(control, outsideOf({ foreignKeys, filled }), [])).filter(({ owns }) => owns);
  const rowSecurity = (await bypassesRowSecurity(control))
    ? []
    : await readForcedRowSecurity(control, new Set([...filled, ...outside.map(({ oid }) => oid)]));
  const family = await readWithAncestors(control, filled);
  const checks = await brokenChecks(source, look.copied, control, family);
  const indexes = run.config.dropIndexes ? await readSecondaryIndexes(control, filled) : [];
  return {
    filled,
    mayBeReplica: may,
    replica,
    foreignKeys,
    rowSecurity,
    staleViews: await readStaleViews(control, [...family]),
    takenOff: run.config.atomic ? triggers : [...rowSecurity, ...triggers, ...foreignKeys, ...checks, ...indexes],
  };
}

/** Tables at the other end of foreign keys. */
export function outsideOf({ foreignKeys, filled }: Pick<InTheWay, "foreignKeys" | "filled">): number[] {
  return [...new Set(foreignKeys.flatMap((key) => [key.table.oid, key.refTable]))].filter((oid) => !filled.has(oid));
}

function filledOids(copied: readonly TableInfo[], shapes: ReadonlyMap<string, TableShape>): Set<number> {
  const found = new Set<string>();
  for (const table of copied) if (shapes.has(shapeKey(table))) found.add(shapeKey(table));
  for (let grown = true; grown;) {
    grown = false;
    for (const [key, { parent }] of shapes) {
      if (parent === undefined || found.has(key) || !found.has(parent)) continue;
      found.add(key);
      grown = true;
    }
  }
  return new Set([...found].flatMap((key) => shapes.get(key)?.oid ?? []));
}

/**
 * CHECK constraints that are NOT VALID on both sides: rows that break them are in the source, and were on the target. Any other may rightly
 * refuse a row.
 */
async function brokenChecks(
  source: Session,
  copied: readonly TableInfo[],
  control: Session,
  tables: ReadonlySet<number>,
): Promise<Removable[]> {
  const loose = async (session: Session, of: ReadonlySet<number>): Promise<Removable[]> =>
    (await readConstraintsOf(session, of)).filter(({ kind, validate }) => kind === "check" && validate === undefined);
  const here = await loose(control, tables);
  if (here.length === 0) return [];
  const oids = new Set(copied.flatMap((table) => [table, ...(table.parts ?? [])]).map(({ oid }) => oid));
  const key = ({ table: { schema, name: table }, name }: Removable): string => JSON.stringify([schema, table, name]);
  const there = new Set((await loose(source, await readWithAncestors(source, oids))).map(key));
  return here.filter((check) => there.has(key(check)));
}

/**
 * Unique and exclusion constraints that are DEFERRABLE are looked at by a trigger of the server's own (commands/constraint.c), which keeps
 * quiet in a replica's session: duplicates would come in.
 */
async function hasLateKeys(session: Session, tables: ReadonlySet<number>): Promise<boolean> {
  const [row] = await session.query<{ some: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = ANY ($1::pg_catalog.oid[]) AND NOT indimmediate) AS some",
    [[...tables]],
  );
  return row?.some === true;
}

async function bypassesRowSecurity(session: Session): Promise<boolean> {
  const [row] = await session.query<{ may: boolean }>(
    "SELECT rolsuper OR rolbypassrls AS may FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER",
  );
  return row?.may === true;
}
