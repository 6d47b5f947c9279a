import type { IndexInfo } from "../catalog/relations.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { groupBy } from "../util/group-by.ts";
import type { StatementsTask } from "./task.ts";

/** The task that makes one partitioned index whole, and the OIDs of the tree's indexes. */
interface Attach {
  task: StatementsTask;
  indexes: number[];
}

/**
 * All attachments of one partitioned index's tree go together, in pg_dump's order, once every index of the tree is there.
 * @param makers By OID of an index: the task that makes it.
 */
export function attachTasks(entries: readonly SchemaEntry[], all: readonly IndexInfo[], makers: ReadonlyMap<number, string>): Attach[] {
  const byOid = new Map(all.map((index) => [index.oid, index]));
  const byName = groupBy(all, (index) => nameKey(index.schema, index.name));
  const rootOf = (index: IndexInfo): number => {
    const parent = index.parent === undefined ? undefined : byOid.get(index.parent);
    return parent ? rootOf(parent) : index.oid;
  };
  const members = groupBy(all, rootOf);
  const groups = groupBy(entries, (entry) => {
    const [index, ...others] = byName.get(nameKey(entry.schema, entry.name)) ?? [];
    return index && others.length === 0 ? rootOf(index) : 0;
  });
  return [...groups].map(([root, attachments]) => {
    const indexes = (members.get(root) ?? []).map((index) => index.oid);
    // where two names differ only in line breaks, the attachment waits for all indexes
    const after = root === 0 ? [...makers.values()] : indexes.flatMap((oid) => makers.get(oid) ?? []);
    return {
      indexes,
      task: {
        kind: "statements",
        id: `attach:${root}`,
        object: `partitions of index ${byOid.get(root)?.name ?? ""}`.trimEnd(),
        after: [...new Set(["pre-data", ...after])],
        cost: attachments.length * 1000,
        locks: [],
        entries: attachments,
      },
    };
  });
}

/** pg_dump prints names with line breaks as spaces. */
function nameKey(schema: string, name: string): string {
  return JSON.stringify([schema, name].map((part) => part.replaceAll(/[\r\n]/g, " ")));
}
