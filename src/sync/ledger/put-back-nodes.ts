import type { RemovableKind } from "../../catalog/removable/removable.ts";
import type { GraphNode } from "../../scheduler/graph.ts";
import type { LedgerEntry } from "../../target/ledger.ts";

/** A `rank` does nothing but stand for all of its rank, of which there may be many thousands, to those that wait for them. */
export type PutBackNode = GraphNode & ({ step: "put-back" | "validate"; entry: LedgerEntry } | { step: "rank" });

/** What rests on what: an earlier one is there before a later one is put back. */
const ORDER: readonly RemovableKind[][] = [
  ["index"],
  ["unique", "exclusion"],
  ["not-null", "check"],
  ["foreign-key"],
  ["trigger"],
  // it would keep the tables' owner from proving their foreign keys
  ["row-security"],
];

/** Ranks, each of which waits for the one before it; in a rank the last that was taken off comes back first. */
export function inPutBackOrder<T extends { kind: RemovableKind }>(things: readonly T[]): T[][] {
  const known = new Set(ORDER.flat());
  // what a newer pgditto has written down is not passed over
  const others = things.filter(({ kind }) => !known.has(kind));
  return [...ORDER.map((kinds) => things.filter(({ kind }) => kinds.includes(kind))), others]
    .filter((rank) => rank.length > 0)
    .map((rank) => rank.toReversed());
}

/** Each is put back, then validated once all of its rank are there. */
export function putBackNodes(entries: readonly LedgerEntry[]): PutBackNode[] {
  const nodes: PutBackNode[] = [];
  let before: string[] = [];
  const add = (step: readonly PutBackNode[]): void => {
    const done = `rank:${nodes.length}`;
    nodes.push(...step, { id: done, after: [...before, ...step.map(({ id }) => id)], cost: 0, locks: [], step: "rank" });
    before = [done];
  };
  for (const rank of inPutBackOrder(entries)) {
    add(
      rank
        .filter((entry) => entry.state === "off")
        .map((entry) => ({
          id: `put-back:${entry.id}`,
          after: before,
          cost: 1,
          locks: [{ key: lockOf(entry), exclusive: entry.kind !== "index" }],
          step: "put-back",
          entry,
        })),
    );
    add(
      rank
        .filter((entry) => entry.validate !== undefined)
        .map((entry) => ({
          id: `validate:${entry.id}`,
          after: before,
          cost: 1,
          // VALIDATE takes SHARE UPDATE EXCLUSIVE, of which a table bears one (manual 13.3)
          locks: [{ key: tableOf(entry), exclusive: true }],
          step: "validate",
          entry,
        })),
    );
  }
  return nodes;
}

function tableOf({ schema, table }: LedgerEntry): string {
  return `${schema}.${table}`;
}

/** What takes a moment only goes one after the other: a foreign key locks two tables, and what is NOT VALID yet the tables that inherit it. */
function lockOf(entry: LedgerEntry): string {
  if (entry.kind === "foreign-key") return "foreign keys";
  return entry.validate === undefined ? tableOf(entry) : "checks";
}
