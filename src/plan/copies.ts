import type { TableInfo } from "../catalog/tables.ts";
import { displayName } from "../postgres/quote.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { groupBy } from "../util/group-by.ts";
import { type KeptRange, rangesAround, splitTable } from "./split-table.ts";
import type { Copy } from "./task.ts";

/** From this size on, a table gets TRUNCATE and COPY … FREEZE, and tasks of its own for ANALYZE and counting. Bytes. */
export const LARGE_TABLE = 4 * 1024 * 1024;

interface CopyInput {
  tables: readonly TableInfo[];
  selected: ReadonlySet<number>;
  binaryObstacle: (typeOid: number) => string | undefined;
  /** COPYs of one table that pay at a time. */
  streams: number;
  /** Whether the source reads a range of blocks without reading the rest. */
  rangeScans: boolean;
  /** By OID of the table: what an earlier run has copied of it. */
  kept: ReadonlyMap<number, readonly KeptRange[]>;
}

/** Every COPY of the run: one a table, several for a table that would keep the others waiting. */
export function listCopies(input: CopyInput, skipped: readonly SchemaEntry[]): Copy[] {
  const skippedExtensions = new Set(skipped.filter((entry) => entry.type === "EXTENSION").map((entry) => entry.name));
  const copied = input.tables.filter(
    (table) => table.kind === "r" && input.selected.has(table.oid) && !skippedExtensions.has(table.extension?.name ?? ""),
  );
  const tables = joinThrough(copied, input.tables);
  const all = tables.reduce((sum, table) => sum + table.bytes, 0);
  return tables.flatMap((table): Copy[] => {
    const formatReason = textReason(table, input.binaryObstacle);
    const whole = {
      id: `copy:${table.oid}`,
      object: displayName(table.schema, table.name),
      table,
      format: formatReason === undefined ? ("binary" as const) : ("text" as const),
      formatReason,
      range: undefined,
      bytes: table.bytes,
      // a partitioned table cannot be frozen
      freeze: table.bytes >= LARGE_TABLE && table.extension === undefined && table.parts === undefined,
    };
    const kept = input.kept.get(table.oid);
    const ranges = kept ? rangesAround(kept) : input.rangeScans ? splitTable(table, all, input.streams) : [];
    if (ranges.length === 0) return [whole];
    return ranges.map((range) => ({
      ...whole,
      // by its blocks, for a later run may count its ranges otherwise
      id: `${whole.id}/${range.from}-${range.to ?? ""}`,
      range,
      bytes: table.bytes / range.of,
      freeze: false,
    }));
  });
}

/** Partitions whose rows are loaded through a partitioned table are copied as one, so that another attempt can empty all of them. */
function joinThrough(copied: readonly TableInfo[], all: readonly TableInfo[]): TableInfo[] {
  const byOid = new Map(all.map((table) => [table.oid, table]));
  const joined = groupBy(
    copied.filter((table) => table.through !== undefined),
    (table) => table.through ?? 0,
  );
  const wholes = [...joined].flatMap(([oid, parts]) => {
    const table = byOid.get(oid);
    const sum = (value: (part: TableInfo) => number): number => parts.reduce((total, part) => total + value(part), 0);
    return table ? [{ ...table, bytes: sum((part) => part.bytes), rowEstimate: sum((part) => part.rowEstimate), parts }] : [];
  });
  return [...copied.filter((table) => table.through === undefined), ...wholes];
}

function textReason(table: TableInfo, binaryObstacle: (typeOid: number) => string | undefined): string | undefined {
  const copied = table.columns.filter((column) => !column.generated);
  if (copied.length === 0) return "no columns to copy";
  for (const column of copied) {
    const reason = binaryObstacle(column.type);
    if (reason !== undefined) return `column ${column.name}: ${reason}`;
  }
  return undefined;
}
