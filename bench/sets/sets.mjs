import { growthBytes } from "./growth-bytes.mjs";
import { growthTables } from "./growth-tables.mjs";
import { many } from "./many.mjs";
import { mixed } from "./mixed.mjs";
import { one } from "./one.mjs";
import { pgbench } from "./pgbench.mjs";

/** Every data set, by its name on the command line. Deterministic: the same scale makes the same rows. */
export const SETS = Object.fromEntries([many, mixed, pgbench, one, growthTables, growthBytes].map((set) => [set.name, set]));

/** The databases that a set asks for: one, or one for each point of a growth curve. A point is a size by itself, the scale leaves it alone. */
export function casesOf(set, { scale, points }) {
  if (set.points === undefined) return [{ set, scale, label: set.name, database: set.name }];
  return (points ?? set.points).map((point) => ({
    set,
    scale,
    point,
    label: `${set.name} ${point}`,
    database: `${set.name}_${point}`.replaceAll(/\W/g, "_"),
  }));
}
