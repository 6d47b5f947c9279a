import type { SchemaEntry } from "../schema/entries.ts";
import type { StatementsTask } from "./task.ts";

/** One task for the entries, or none where there are none. */
export function statementsTask(id: string, object: string, entries: readonly SchemaEntry[], after: readonly string[]): StatementsTask[] {
  return entries.length === 0 ? [] : [barrier(id, object, entries, after)];
}

/** One task, whether there are entries or not. */
export function barrier(id: string, object: string, entries: readonly SchemaEntry[], after: readonly string[]): StatementsTask {
  return { kind: "statements", id, object, after, cost: entries.length * 1000, locks: [], entries };
}
