import type { ConstraintInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { NodeLock } from "../scheduler/graph.ts";
import { tablesBefore } from "./extension-order.ts";
import type { Copy, CountTask, DumpEntry, DumpTask, LargeObjectsTask, SequencesTask, SequenceValue } from "./task.ts";

/** What a dump folder holds beside the schema. */
export interface DumpedRows {
  entries: readonly DumpEntry[];
  sequences: readonly SequenceValue[];
  /** Entries that are restored at the same time. */
  atOnce: number;
}

/** So many programs at the same time, each with jobs of its own. */
function turnstile(kind: DumpTask["kind"], atOnce: number): NodeLock {
  return { key: kind, exclusive: false, most: atOnce };
}

/** One pg_dump each. */
export function exportTasks(entries: readonly DumpEntry[], copies: readonly Copy[], atOnce: number): DumpTask[] {
  return entries.map((entry) => ({ ...dumpTask("export", entry, copies, atOnce), after: [] }));
}

/** Makes the tasks that bring rows out of a dump folder where others copy them from the source: one pg_restore each. */
export function importTasks({ entries, atOnce }: DumpedRows, all: readonly Copy[]) {
  const taskOf = new Map(entries.flatMap((entry) => entry.tables.map((oid) => [oid, idOf("import", entry)] as const)));
  return (copies: readonly Copy[], constraints: readonly ConstraintInfo[], readyAfter: (table: TableInfo) => string): DumpTask[] => {
    const before = tablesBefore(
      copies.map((copy) => copy.table),
      constraints,
    );
    return entries
      .map((entry) => dumpTask("import", entry, all, atOnce))
      .filter((task) => task.copies.length > 0)
      .map((task) => {
        const others = task.copies.flatMap(({ table }) => (before.get(table.oid) ?? []).flatMap((oid) => taskOf.get(oid) ?? []));
        const after = [...task.copies.map(({ table }) => readyAfter(table)), ...others].filter((id) => id !== task.id);
        return { ...task, after: [...new Set(after)] };
      });
  };
}

function dumpTask(kind: DumpTask["kind"], entry: DumpEntry, copies: readonly Copy[], atOnce: number): DumpTask {
  const oids = new Set(entry.tables);
  const own = copies.filter(({ table }) => oids.has(table.oid));
  const tables = kind === "import" ? own.flatMap(({ table }) => [table, ...(table.parts ?? [])]) : [];
  return {
    kind,
    id: idOf(kind, entry),
    object: entry.object,
    after: [],
    cost: entry.bytes + 1,
    locks: [turnstile(kind, atOnce), ...tables.map(({ oid }) => ({ key: oid, exclusive: true }))],
    dump: entry,
    copies: own,
  };
}

function idOf(kind: DumpTask["kind"], entry: DumpEntry): string {
  return `${kind}:${entry.path}`;
}

/** The file of a batch of large objects: the same batch on both ways, for both are cut out of one list. */
export function throughFile(task: LargeObjectsTask, way: "in" | "out"): LargeObjectsTask {
  return { ...task, file: { name: `${task.id.replace(":", "-")}.bin`, way } };
}

/** Tasks that ask nothing of the source, where the rows come from a dump folder; else as they are. */
export function fromDump<T extends LargeObjectsTask | CountTask | SequencesTask>(
  dumped: DumpedRows | undefined,
  tasks: readonly T[],
): Array<T | LargeObjectsTask | CountTask | SequencesTask> {
  if (!dumped) return [...tasks];
  return tasks.map((task) => {
    if (task.kind === "large-objects") return throughFile(task, "in");
    if (task.kind === "count") return { ...task, sides: ["target" as const] };
    return { ...task, values: dumped.sequences };
  });
}
