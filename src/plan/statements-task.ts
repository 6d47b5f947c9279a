import type { SchemaEntry } from "../schema/entries.ts";
import type { StatementsTask } from "./task.ts";

/** One task for the entries, or none where there are none. */
export function statementsTask(id: string, object: string, entries: readonly SchemaEntry[], after: readonly string[]): StatementsTask[] {
  if (entries.length === 0) return [];
  return [{ kind: "statements", id, object, after, cost: entries.length * 1000, locks: [], entries }];
}
