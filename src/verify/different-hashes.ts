import type { Side } from "../errors.ts";
import type { Session } from "../postgres/session.ts";

/** A hash that one side has more often than the other. */
export interface HashCount {
  hash: string;
  more: number;
}

/** Numbers of 64 bits come as text. */
interface Bucket {
  bucket: string;
  rows: string;
  sum: string;
}

/** Rows that are looked at one hash at a time: some MB of hashes on either side. */
const FEW = 50_000;
/** Each round tells 2^14 buckets apart. */
const BITS = 14;

interface Look {
  /** On either side, what has a column `hash` of 64 bits; for a FROM. */
  from: Readonly<Record<Side, string>>;
  /** On the side that has more. */
  rows: number;
  signal: AbortSignal;
}

/**
 * The hashes whose rows one side has more of. Rows are put into buckets by the last bits of their hashes; only buckets whose counts or sums
 * differ are looked at again, by more bits, until there are few rows in them. Each round reads the table once on either side, and
 * memory does not grow with it: 180,000 rows to a bucket at first where there are three thousand million, and 11 in the second round.
 * Where very many rows differ, those of the first buckets stand for all.
 */
export async function differentHashes(ends: Readonly<Record<Side, Session>>, look: Look): Promise<Record<Side, HashCount[]>> {
  let condition = "";
  for (let bits = BITS, left = look.rows; left > FEW && bits < 60; bits += BITS) {
    const mask = (1n << BigInt(bits)) - 1n;
    const buckets = await differing(ends, look, `hash & ${mask}`, condition);
    const kept: string[] = [];
    left = 0;
    for (const { bucket, most } of buckets) {
      if (kept.length > 0 && left + most > FEW) break;
      kept.push(bucket);
      left += most;
    }
    if (kept.length === 0) return { source: [], target: [] };
    condition = `WHERE hash & ${mask} IN (${kept.join(", ")})`;
  }
  const hashes = await differing(ends, look, "hash", condition);
  const more = (side: Side, other: Side): HashCount[] =>
    hashes.flatMap((one) => (one[side] > one[other] ? [{ hash: one.bucket, more: one[side] - one[other] }] : []));
  return { source: more("source", "target"), target: more("target", "source") };
}

interface DifferentBucket extends Record<Side, number> {
  bucket: string;
  most: number;
}

async function differing(
  ends: Readonly<Record<Side, Session>>,
  { from, signal }: Look,
  by: string,
  condition: string,
): Promise<DifferentBucket[]> {
  const read = async (side: Side): Promise<Map<string, Bucket>> => {
    const rows = await ends[side].query<Bucket>(
      `SELECT ${by} AS bucket, count(*) AS rows, pg_catalog.sum(hash) AS sum FROM ${from[side]} ${condition} GROUP BY 1`,
      [],
      signal,
    );
    return new Map(rows.map((row) => [row.bucket, row]));
  };
  const [there, here] = await Promise.all([read("source"), read("target")]);
  const names = [...new Set([...there.keys(), ...here.keys()])];
  return names.flatMap((bucket) => {
    const [a, b] = [there.get(bucket), here.get(bucket)];
    if (a?.rows === b?.rows && a?.sum === b?.sum) return [];
    const [source, target] = [Number(a?.rows ?? 0), Number(b?.rows ?? 0)];
    return [{ bucket, source, target, most: Math.max(source, target) }];
  });
}
