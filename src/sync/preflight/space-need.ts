import type { RelationSize } from "../../catalog/sizes.ts";
import type { Disk, DiskSpace } from "../../target/disks.ts";
import type { WalFacts } from "../../target/wal.ts";

const MB = 1024 ** 2;

/** An empty database: PostgreSQL 12 to 18 make template0 7 to 8 MB large. */
const EMPTY_DATABASE = 8 * MB;
/** Bytes of WAL for one of a table or an index: the rows or pages, and headers around them. */
const WAL_RATE = 1.1;

/** What a copy takes on the target, going by the source: its bloat included, which the copy will not have. Bytes. */
export interface SpaceNeed {
  /** By name of the tablespace on the target. */
  byTablespace: ReadonlyMap<string, number>;
  /** Of the staging database: all of these together. */
  database: number;
  /** To sort the largest index, beside all that is there by then. In the database's own tablespace. */
  sort: number;
}

export interface NeedInput {
  /** Of what is copied; views and large objects always are. */
  sizes: readonly RelationSize[];
  /** That of the staging database. */
  tablespace: string;
  noTablespaces: boolean;
}

export function spaceNeed({ sizes, tablespace, noTablespaces }: NeedInput): SpaceNeed {
  const byTablespace = new Map([[tablespace, EMPTY_DATABASE]]);
  let sort = 0;
  for (const relation of sizes) {
    const place = noTablespaces || relation.tablespace === "" ? tablespace : relation.tablespace;
    byTablespace.set(place, (byTablespace.get(place) ?? 0) + relation.bytes);
    if (relation.index) sort = Math.max(sort, relation.bytes);
  }
  return { byTablespace, database: [...byTablespace.values()].reduce((sum, bytes) => sum + bytes, 0), sort };
}

/**
 * WAL that the copy adds to what is there. A checkpoint gives back what nobody needs, so that about `max_wal_size` is the most;
 * where a slot or a failing archive keeps it, all of it stays.
 */
export function walNeed(database: number, wal: WalFacts): number {
  const written = Math.round(database * WAL_RATE);
  return wal.keptFor === undefined ? Math.max(0, Math.min(written, wal.most - wal.present)) : written;
}

/**
 * What has to stay free, so that neighbours go on for a while: 1 % of a disk, 256 MB at the most. Where `pg_wal` is, 5 % with the same
 * most, and room for four segments, because a server that cannot make its next one (16 MB) stops as a whole, and ending a copy takes WAL.
 */
export function mustStayFree(disk: Pick<Disk, "wal">, { total }: Pick<DiskSpace, "total">, segment: number): number {
  return Math.max(disk.wal ? 4 * segment : 0, Math.min(total * (disk.wal ? 0.05 : 0.01), 256 * MB));
}

/** Of one disk: what is wanted of it, in its parts. */
export interface DiskNeed {
  data: number;
  sort: number;
  wal: number;
  reserve: number;
}

export function diskNeed(
  disk: Disk,
  space: DiskSpace,
  { need, wal, tablespace }: { need: SpaceNeed; wal: WalFacts; tablespace: string },
): DiskNeed {
  return {
    data: disk.tablespaces.reduce((sum, name) => sum + (need.byTablespace.get(name) ?? 0), 0),
    sort: disk.tablespaces.includes(tablespace) ? need.sort : 0,
    wal: disk.wal ? walNeed(need.database, wal) : 0,
    reserve: mustStayFree(disk, space, wal.segment),
  };
}
