import type { Difference } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { inSlices } from "../util/group-by.ts";
import type { Ends } from "./find-rows.ts";

/** Objects read in one statement. */
const AT_ONCE = 200;
const PIECE = 1024 * 1024;

/** Large objects that one side lacks, and with `contents` those whose bytes differ: each is hashed by the server, in pieces of 1 MB. */
export async function compareLargeObjects(
  ends: Ends,
  options: { contents: boolean; signal: AbortSignal },
): Promise<{ compared: number; differences: Difference[] }> {
  const { contents, signal } = options;
  const [there, here] = await Promise.all([readOids(ends.source, signal), readOids(ends.target, signal)]);
  const common = [...there].filter((oid) => here.has(oid));
  const alone = (oid: number, side: "source" | "target"): Difference => {
    const [source, target] = side === "source" ? ["there", "missing"] : ["missing", "there"];
    return { kind: "large object", object: String(oid), source, target };
  };
  const differences = [
    ...[...there].filter((oid) => !here.has(oid)).map((oid) => alone(oid, "source")),
    ...[...here].filter((oid) => !there.has(oid)).map((oid) => alone(oid, "target")),
  ];
  for (const slice of contents ? inSlices(common, AT_ONCE) : []) {
    const [source, target] = await Promise.all([readHashes(ends.source, slice, signal), readHashes(ends.target, slice, signal)]);
    for (const oid of slice) {
      const [a = "unreadable", b = "unreadable"] = [source.get(oid), target.get(oid)];
      if (a !== b) differences.push({ kind: "large object", object: String(oid), source: a, target: b });
    }
  }
  return { compared: common.length, differences };
}

async function readOids(session: Session, signal: AbortSignal): Promise<Set<number>> {
  const rows = await session.query<{ oid: number }>("SELECT oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid", [], signal);
  return new Set(rows.map((row) => row.oid));
}

/** Length and hash of each. Holes read as zeros, as they were copied. */
async function readHashes(session: Session, oids: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, string>> {
  const piece = (at: string): string =>
    `(SELECT pg_catalog.length(data) AS size, pg_catalog.md5(data) AS hash FROM (SELECT pg_catalog.lo_get(o.oid, ${at}, ${PIECE}) AS data OFFSET 0) AS read)`;
  const rows = await session.query<{ oid: number; hash: string }>(
    `SELECT o.oid, p.hash FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS o(oid), LATERAL (
       WITH RECURSIVE pieces(at, size, hash) AS (
         SELECT 0::pg_catalog.int8, first.size, first.hash FROM ${piece("0")} AS first
         UNION ALL
         SELECT pieces.at + ${PIECE}, next.size, next.hash FROM pieces, LATERAL ${piece(`pieces.at + ${PIECE}`)} AS next WHERE pieces.size = ${PIECE}
       )
       SELECT pg_catalog.sum(size) || ' bytes, md5 ' || pg_catalog.md5(pg_catalog.string_agg(pieces.hash, '' ORDER BY at)) AS hash FROM pieces
     ) AS p`,
    [oids],
    signal,
  );
  return new Map(rows.map((row) => [row.oid, row.hash]));
}
