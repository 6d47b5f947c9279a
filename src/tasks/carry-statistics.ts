import type { AnalyzedRelation } from "../plan/task.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { applyEntries } from "./apply-entries.ts";
import type { TaskContext } from "./context.ts";

/**
 * Gives relations the source's statistics where all that belong to one are known there, and returns the others: those are for ANALYZE.
 * The plans on the target are then those of the source, and no row is read for them (manual 9.28.11, "Database Object Statistics
 * Manipulation Functions", PostgreSQL 18).
 */
export async function carryStatistics(relations: readonly AnalyzedRelation[], context: TaskContext): Promise<readonly AnalyzedRelation[]> {
  if (!context.statistics) return relations;
  const statistics = await context.statistics();
  const entries: SchemaEntry[] = [];
  const others = relations.filter((relation) => {
    const known = relation.carried.map(statistics);
    if (known.length === 0 || known.includes(undefined)) return true;
    entries.push(...known.filter((entry) => entry !== undefined));
    return false;
  });
  await applyEntries(await context.target(), entries, { ...context, journal: undefined });
  return others;
}
