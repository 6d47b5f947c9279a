import type { ConstraintInfo, IndexInfo } from "../../src/catalog/relations.ts";
import { buildPlan, type Plan, type PlanInput } from "../../src/plan/build-plan.ts";

/** The plan of a catalog of which only the interesting parts are given; all tables are selected unless said otherwise. */
export function makePlan(parts: Partial<PlanInput>): Plan {
  const tables = parts.tables ?? [];
  return buildPlan({
    entries: [],
    tables,
    selected: new Set(tables.map(({ oid }) => oid)),
    indexes: [],
    constraints: [],
    matviews: [],
    sequences: [],
    largeObjects: [],
    binaryObstacle: () => undefined,
    skipExtensions: [],
    relations: { dependencies: [], defaults: new Map() },
    streams: 2,
    rangeScans: true,
    kept: new Map(),
    ...parts,
  });
}

export function makeIndex(oid: number, table: number, parent?: number): IndexInfo {
  return { oid, schema: "public", name: `i${oid}`, table, parent, bytes: 0, method: "btree", expressions: false };
}

export function makeConstraint(parts: Partial<ConstraintInfo> & Pick<ConstraintInfo, "oid" | "table" | "type">): ConstraintInfo {
  return { name: `c${parts.oid}`, refTable: 0, refIndex: 0, index: 0, validated: true, deferrable: false, deferred: false, ...parts };
}

export function taskOf(made: Plan, id: string): Plan["tasks"][number] {
  const task = made.tasks.find((candidate) => candidate.id === id);
  if (!task) throw new Error(`no task ${id} in ${made.tasks.map((candidate) => candidate.id).join(", ")}`);
  return task;
}

/** What the task waits for, directly or not. */
export function waitsFor(made: Plan, id: string): Set<string> {
  const found = new Set<string>();
  const visit = (at: string): void => {
    for (const before of taskOf(made, at).after) {
      if (found.has(before)) continue;
      found.add(before);
      visit(before);
    }
  };
  visit(id);
  return found;
}
