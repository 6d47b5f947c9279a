import type { TableInfo } from "../catalog/tables.ts";
import { quoteIdent, quoteQualified } from "../postgres/quote.ts";
import { buildId, firstStepOf, isPlainConstraint, keyIndexId, objectName, type Place } from "./places.ts";
import type { BuildTask } from "./task.ts";

/**
 * A primary key or unique constraint in two steps: its index, which takes only SHARE and so is built beside the table's other indexes,
 * and the constraint, which then takes a moment (manual, ALTER TABLE "ADD table_constraint_using_index"). ADD PRIMARY KEY would keep
 * the table to itself all the time. Undefined where it has to be one step.
 */
export function keyInTwoSteps(place: Place, whole: BuildTask, table: TableInfo): BuildTask[] | undefined {
  const { entry, constraint, index } = place;
  if (!constraint || index?.definition === undefined || !["p", "u"].includes(constraint.type) || !isPlainConstraint(entry))
    return undefined;
  const add = `ALTER TABLE ONLY ${quoteQualified(table.schema, table.name)} ADD CONSTRAINT ${quoteIdent(constraint.name)}`;
  const kind = constraint.type === "p" ? "PRIMARY KEY" : "UNIQUE";
  const when = constraint.deferrable ? ` DEFERRABLE${constraint.deferred ? " INITIALLY DEFERRED" : ""}` : "";
  const makeIndex: BuildTask = {
    ...whole,
    kind: "index",
    id: keyIndexId(entry),
    object: `${objectName(entry)} (index)`,
    locks: [{ key: place.table, exclusive: false }],
    entry: { ...entry, sql: `${index.definition};`, key: firstStepOf(entry) },
  };
  const makeKey: BuildTask = {
    ...whole,
    id: buildId(entry),
    after: [...whole.after, makeIndex.id],
    cost: 1000,
    entry: { ...entry, sql: `${add} ${kind} USING INDEX ${quoteIdent(index.name)}${when};` },
  };
  return [makeIndex, makeKey];
}
