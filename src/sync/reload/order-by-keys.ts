import { displayRemovable, placeOf } from "../../catalog/removable/removable.ts";
import { shapeKey, type TableShape } from "../../catalog/table-shapes.ts";
import type { TableInfo } from "../../catalog/tables.ts";
import type { Obstacle } from "../../errors.ts";
import { displayName } from "../../postgres/quote.ts";
import type { InTheWay } from "./in-the-way.ts";

export interface KeyOrder {
  /** By OID on the source: the place in which a table is filled; emptied in the opposite order. */
  places: ReadonlyMap<number, number>;
  obstacles: readonly Obstacle[];
}

/**
 * An order in which no row ever refers to one that is not there. For `--atomic` where foreign keys cannot be told to keep quiet: they are
 * looked at row by row then, and act on rows that are deleted.
 */
export function orderByKeys(copied: readonly TableInfo[], shapes: ReadonlyMap<string, TableShape>, inTheWay: InTheWay): KeyOrder {
  const obstacles: Obstacle[] = [];
  const byOid = new Map([...shapes.values()].map((shape) => [shape.oid, shape]));
  const topOf = (oid: number): number => {
    const { parent } = byOid.get(oid) ?? {};
    const up = parent === undefined ? undefined : shapes.get(parent);
    return up ? topOf(up.oid) : oid;
  };
  const sourceOids = new Map<number, number[]>();
  for (const table of copied) {
    const top = topOf(shapes.get(shapeKey(table))?.oid ?? 0);
    sourceOids.set(top, [...(sourceOids.get(top) ?? []), table.oid]);
  }
  const after = new Map<number, Set<number>>([...sourceOids.keys()].map((top) => [top, new Set()]));
  for (const key of inTheWay.foreignKeys) {
    // what one statement fills may refer to itself
    const toItself = key.table.oid === key.refTable && byOid.get(key.refTable)?.kind === "r";
    const [from, to] = [topOf(key.table.oid), topOf(key.refTable)];
    const name = displayRemovable(placeOf(key));
    if (sourceOids.has(to) && !inTheWay.filled.has(key.table.oid) && !sourceOids.has(from)) {
      const table = displayName(key.table.schema, key.table.name);
      obstacles.push(
        obstacle(
          `${table}, which is not selected, refers to rows that --atomic would have to delete (${name}).`,
          `Select it too (--table ${table}), or leave out --atomic.`,
        ),
      );
    } else if (from === to && (sourceOids.get(from)?.length ?? 0) > 1 && !toItself && !canWait(key.putBack)) {
      const table = displayName(key.table.schema, key.table.name);
      obstacles.push(
        obstacle(`Partitions of ${table} refer to each other (${name}): there is no order for --atomic.`, "Leave out --atomic."),
      );
    } else if (from !== to && sourceOids.has(from) && sourceOids.has(to) && !canWait(key.putBack)) after.get(from)?.add(to);
  }
  const places = new Map<number, number>();
  const done = new Set<number>();
  while (done.size < after.size) {
    const next = [...after].filter(([top, before]) => !done.has(top) && [...before].every((other) => done.has(other))).map(([top]) => top);
    if (next.length === 0) {
      const names = [...after.keys()]
        .filter((top) => reaches(after, top, top))
        .map((top) => displayName(byOid.get(top)?.schema ?? "", byOid.get(top)?.name ?? ""));
      obstacles.push(
        obstacle(`Foreign keys of ${names.join(", ")} go round in a circle: there is no order for --atomic.`, "Leave out --atomic."),
      );
      break;
    }
    for (const top of next) {
      for (const oid of sourceOids.get(top) ?? []) places.set(oid, done.size);
      done.add(top);
    }
  }
  return { places, obstacles };
}

function reaches(edges: ReadonlyMap<number, ReadonlySet<number>>, from: number, to: number): boolean {
  const seen = new Set(edges.get(from));
  for (const next of seen) for (const further of edges.get(next) ?? []) seen.add(further);
  return seen.has(to);
}

/** Until the end of the transaction. RESTRICT never does (manual 5.5.5). */
function canWait(definition: string): boolean {
  return / DEFERRABLE\b/.test(definition) && !/ ON (?:DELETE|UPDATE) RESTRICT\b/.test(definition) && !/ NOT DEFERRABLE\b/.test(definition);
}

function obstacle(message: string, fix: string): Obstacle {
  const may =
    "A role that may set session_replication_role (a superuser, or from PostgreSQL 15 on GRANT SET ON PARAMETER) has no need of an order, unless a unique constraint of the tables is DEFERRABLE.";
  return { code: "atomic", side: "target", message, fix: `${fix} ${may}` };
}
