import type { SchemaEntry } from "../schema/entries.ts";
import { groupBy } from "../util/group-by.ts";
import { grouped } from "./grouped.ts";
import type { Place } from "./places.ts";
import type { BuildTask, SmallBuildsTask } from "./task.ts";

/** Builds that are too small for a task each, many to a task. */
interface SmallBuilds {
  tasks: Array<BuildTask | SmallBuildsTask>;
  /** By the id that the build would have had: the task that it is in. */
  taskOf: ReadonlyMap<string, string>;
}

/**
 * Groups the builds of small tables: indexes and constraints of tables that were copied together, foreign keys by the table they refer
 * to, because all that refer to one table must follow each other anyway.
 */
export function smallBuilds(builds: ReadonlyArray<{ place: Place; task: BuildTask }>): SmallBuilds {
  const keys = builds.filter(({ place }) => place.foreignKey).toSorted((a, b) => refTable(a.place) - refTable(b.place));
  const byCopy = groupBy(
    builds.filter(({ place }) => !place.foreignKey),
    ({ task }) => task.after.join(" "),
  );
  const groups = [
    ...[...byCopy.values()].flatMap((group) => slicesOf(group, "indexes and keys")),
    ...grouped(keys).map((group) => ({ group, what: "foreign keys" })),
  ];
  const taskOf = new Map<string, string>();
  const tasks = groups.flatMap(({ group, what }): Array<BuildTask | SmallBuildsTask> => {
    const [first] = group;
    if (!first || group.length === 1) return group.map(({ task }) => task);
    const id = `builds:${first.place.entry.dumpId}`;
    for (const { task } of group) taskOf.set(task.id, id);
    return [
      {
        kind: "small-builds",
        id,
        object: `${group.length} ${what} of small tables`,
        after: [...new Set(group.flatMap(({ task }) => task.after))],
        cost: group.reduce((sum, { task }) => sum + task.cost, 0),
        locks: [...new Set(group.flatMap(({ task }) => task.locks.map(({ key }) => key)))].map((key) => ({ key, exclusive: true })),
        entries: group.map(({ place }): SchemaEntry => place.entry),
      },
    ];
  });
  return { tasks, taskOf };
}

type Build = { place: Place; task: BuildTask };

/** A hundred statements go in one round trip; a table's own stay together. */
function slicesOf(group: readonly Build[], what: string): Array<{ group: Build[]; what: string }> {
  const slices: Build[][] = [];
  for (const ofTable of groupBy(group, ({ place }) => place.table).values()) {
    const last = slices.at(-1);
    if (last && last.length + ofTable.length <= 100) last.push(...ofTable);
    else slices.push([...ofTable]);
  }
  return slices.map((slice) => ({ group: slice, what }));
}

function refTable(place: Place): number {
  return place.foreignKey?.refTable ?? 0;
}
