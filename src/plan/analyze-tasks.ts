import type { TableInfo } from "../catalog/tables.ts";
import type { IndexInfo } from "../catalog/relations.ts";
import { displayName } from "../postgres/quote.ts";
import { groupBy, inSlices } from "../util/group-by.ts";
import { LARGE_TABLE } from "./copies.ts";
import type { Families } from "./family.ts";
import type { AnalyzedRelation, AnalyzeTask, RefreshTask, Task } from "./task.ts";

interface AnalyzeInput {
  indexes: readonly IndexInfo[];
  tables: readonly TableInfo[];
  /** By table: the tasks that bring its rows. */
  copiedBy: ReadonlyMap<number, readonly string[]>;
  family: Families;
  /** By table: the tasks that make indexes on it. */
  builtOn: ReadonlyMap<string | number, readonly string[]>;
  refreshes: readonly RefreshTask[];
  statistics: readonly Task[];
  behindRest: readonly string[];
}

/**
 * ANALYZE for what holds rows. A partitioned table is analyzed once from its root, which samples its partitions and analyzes them
 * too: autovacuum never does that. Large tables as soon as their indexes are there (expression indexes have statistics of
 * their own), small ones fifty to a statement at the end.
 */
export function analyzeTasks(input: AnalyzeInput): AnalyzeTask[] {
  const holdsRows = (table: TableInfo): boolean => input.family.withDescendants(table.oid).some((oid) => input.copiedBy.has(oid));
  const tops = input.tables.filter((table) => table.root === table.oid && holdsRows(table));
  const bytes = new Map(input.tables.map((table) => [table.oid, table.bytes]));
  const size = (table: TableInfo): number => input.family.withDescendants(table.oid).reduce((sum, oid) => sum + (bytes.get(oid) ?? 0), 0);
  const statistics = input.statistics.map((task) => task.id);
  const analyzed = analyzedBy(input);

  const large = tops
    .filter((table) => size(table) >= LARGE_TABLE)
    .map((table) => {
      const members = input.family.withDescendants(table.oid);
      const after = members.flatMap((oid) => [...(input.copiedBy.get(oid) ?? []), ...(input.builtOn.get(oid) ?? [])]);
      return analyze(
        `${table.oid}`,
        displayName(table.schema, table.name),
        [analyzed(table)],
        ["pre-data", ...statistics, ...after],
        members,
        size(table),
      );
    });
  const small = inSlices(
    tops.filter((table) => size(table) < LARGE_TABLE),
    50,
  ).map((group, i) =>
    analyze(
      `small-${i}`,
      `${group.length} small tables`,
      group.map(analyzed),
      input.behindRest,
      group.map((table) => table.oid),
      group.length * LARGE_TABLE * 0.1,
    ),
  );
  const matviews = input.refreshes.flatMap((task) =>
    task.matview
      ? [
          analyze(
            `${task.matview.oid}`,
            task.object,
            [{ ...task.matview, carried: [task.matview] }],
            [task.id],
            [task.matview.oid],
            LARGE_TABLE,
          ),
        ]
      : [],
  );
  return [...large, ...small, ...matviews];
}

/** Adds what the statistics of a table consist of. What holds extended ones is analyzed: PostgreSQL 18 does not carry those over. */
function analyzedBy(input: AnalyzeInput): (table: TableInfo) => AnalyzedRelation {
  const byOid = new Map(input.tables.map((table) => [table.oid, table]));
  const expressions = groupBy(
    input.indexes.filter((index) => index.expressions),
    (index) => index.table,
  );
  return ({ oid, schema, name }) => {
    const members = input.family.withDescendants(oid).flatMap((member) => byOid.get(member) ?? []);
    const carriable = members.every((member) => !member.extendedStatistics && (member.kind === "p" || input.copiedBy.has(member.oid)));
    // an empty one has none
    const full = members.filter((member) => member.kind === "p" || member.blocks > 0);
    return { schema, name, carried: carriable ? [...full, ...members.flatMap((member) => expressions.get(member.oid) ?? [])] : [] };
  };
}

function analyze(
  id: string,
  object: string,
  relations: AnalyzeTask["relations"],
  after: readonly string[],
  lockedTables: readonly number[],
  bytes: number,
): AnalyzeTask {
  return {
    kind: "analyze",
    id: `analyze:${id}`,
    object,
    after: [...new Set(after)],
    cost: 1000 + Math.min(bytes, 50 * LARGE_TABLE) * 0.05,
    locks: lockedTables.map((key) => ({ key, exclusive: true })),
    relations,
  };
}
