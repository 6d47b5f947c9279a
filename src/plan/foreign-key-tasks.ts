import type { TableInfo } from "../catalog/tables.ts";
import { quoteIdent, quoteQualified } from "../postgres/quote.ts";
import { buildId, firstStepOf, isPlainConstraint, type Place } from "./places.ts";
import type { BuildTask } from "./task.ts";

/**
 * A foreign key in two steps: NOT VALID, which takes a moment, and VALIDATE, which leaves the table that it refers to open to other
 * keys' validation (manual, ALTER TABLE "Notes"). Worth it where several large tables refer to the same one; otherwise, and where NOT
 * VALID does not exist (partitioned tables before PostgreSQL 18), it is one step.
 */
export function foreignKeyInTwoSteps(place: Place, whole: BuildTask, table: TableInfo): BuildTask[] | undefined {
  const { entry, foreignKey } = place;
  if (!foreignKey?.validated || whole.partial || !isPlainConstraint(entry)) return undefined;
  const add: BuildTask = {
    ...whole,
    object: `${whole.object} (not valid yet)`,
    cost: 1000,
    entry: { ...entry, sql: entry.sql.replace(/;\s*$/, " NOT VALID;"), key: firstStepOf(entry) },
  };
  const validate: BuildTask = {
    ...whole,
    id: `validate:${entry.dumpId}`,
    after: [buildId(entry)],
    // SHARE UPDATE EXCLUSIVE here, ROW SHARE there (manual 13.3)
    locks: [
      { key: place.table, exclusive: true },
      { key: foreignKey.refTable, exclusive: false },
    ],
    entry: {
      ...entry,
      sql: `ALTER TABLE ${quoteQualified(table.schema, table.name)} VALIDATE CONSTRAINT ${quoteIdent(foreignKey.name)};`,
    },
  };
  return [add, validate];
}
