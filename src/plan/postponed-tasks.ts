import { buildId, objectName, type Place } from "./places.ts";
import type { SplitEntries } from "./split-entries.ts";
import type { StatementsTask } from "./task.ts";

/** Each waits for the indexes and constraints before it in the script, and for the postponed one before it. */
export function postponedTasks(split: SplitEntries, places: readonly Place[]): StatementsTask[] {
  return split.postponed.map((entry, i) => {
    const at = split.order(entry);
    const earlier = places.filter((place) => !place.foreignKey && split.order(place.entry) < at).map((place) => buildId(place.entry));
    const previous = split.postponed[i - 1];
    return {
      kind: "statements",
      id: `postponed:${entry.dumpId}`,
      object: objectName(entry),
      after: ["pre-data", ...earlier, ...(previous ? [`postponed:${previous.dumpId}`] : [])],
      cost: 1000,
      locks: [],
      entries: [entry],
    };
  });
}
