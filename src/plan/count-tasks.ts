import type { RowHash, RowHashes } from "../catalog/row-hash.ts";
import { inSlices } from "../util/group-by.ts";
import { LARGE_TABLE } from "./copies.ts";
import type { BlockRange, Copy, CountTask } from "./task.ts";

/** What a look at a row costs, of what copying it costs. */
const COUNTED = 0.1;
const HASHED = 0.4;

/** What the counting of a copy knows of the rest of its plan. */
interface Surroundings {
  /** By table: the tasks that read it for its indexes. A large table is counted behind them, when foreign keys are left, of which each keeps one core busy. */
  builtOn: ReadonlyMap<string | number, readonly string[]>;
  /** The table's rows come by one COPY of this run: the source has counted them in its tag. Otherwise, as of ranges, it counts them again. */
  isSent: (copy: Copy) => boolean;
}

/**
 * Large tables are counted one by one, small ones a hundred to a round trip as soon as they are in. With checksums a table that is
 * copied in ranges is looked at in the same ranges, and every row is read on both sides.
 * @param rowHash Given: rows are hashed, too.
 */
export function countTasks(
  copies: readonly Copy[],
  copiedBy: ReadonlyMap<number, readonly string[]>,
  rowHash: RowHashes | undefined,
  { builtOn, isSent }: Surroundings = { builtOn: new Map(), isSent: () => false },
): CountTask[] {
  const sent = new Map(rowHash ? [] : copies.filter(isSent).map((copy) => [copy.table.oid, copy.id]));
  const tables = [...new Map(copies.map(({ table, object }) => [table.oid, { table, object }])).values()];
  const large = tables.filter(({ table }) => table.bytes >= LARGE_TABLE).map((one) => [one]);
  const small = inSlices(
    tables.filter(({ table }) => table.bytes < LARGE_TABLE),
    100,
  );
  const rangesOf = (oid: number | undefined): Array<BlockRange | undefined> => {
    const ranges = copies.flatMap((copy) => (rowHash && copy.table.oid === oid && copy.range ? [copy.range] : []));
    return ranges.length > 0 ? ranges : [undefined];
  };
  return [...large, ...small].flatMap((group) =>
    rangesOf(group.length === 1 ? group[0]?.table.oid : undefined).map((range): CountTask => {
      const bytes = group.reduce((sum, { table }) => sum + table.bytes, 0) / (range?.of ?? 1);
      const id = `count:${group[0]?.table.oid ?? 0}`;
      const builds = group.length === 1 ? (builtOn.get(group[0]?.table.oid ?? 0) ?? []) : [];
      const allSent = group.every(({ table }) => sent.has(table.oid));
      return {
        kind: "count",
        sides: allSent ? ["target"] : ["source", "target"],
        sent: allSent ? sent : undefined,
        frozen: ["source"],
        id: range ? `${id}/${range.number}` : id,
        object: group.length === 1 ? (group[0]?.object ?? "") : `${group.length} small tables`,
        after: [...new Set([...group.flatMap(({ table }) => copiedBy.get(table.oid) ?? []), ...builds])],
        cost: bytes * (rowHash ? HASHED : COUNTED),
        locks: [],
        tables: group.map(({ table }) => table),
        range,
        hashes: new Map<number, RowHash>(rowHash ? group.map(({ table }) => [table.oid, rowHash(table)]) : []),
      };
    }),
  );
}
