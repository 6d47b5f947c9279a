import { readDependents } from "../../catalog/removable/dependents.ts";
import { displayRemovable, placeOf } from "../../catalog/removable/removable.ts";
import type { Obstacle } from "../../errors.ts";
import { displayName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { SelectedConstraint } from "./select-constraints.ts";

/** Foreign keys and whatever else rests on a constraint and is not taken off with it. */
export async function restingObstacles(session: Session, constraints: readonly SelectedConstraint[]): Promise<Obstacle[]> {
  const byOid = new Map(constraints.map((one) => [one.constraint, one]));
  const dependents = await readDependents(session, [...byOid.keys()]);
  return dependents.flatMap(({ constraint, what, foreignKey }): Obstacle[] => {
    const one = byOid.get(constraint);
    if (!one) return [];
    const name = displayRemovable(placeOf(one));
    const rests = foreignKey ? `the foreign key ${displayRemovable(foreignKey)}` : (what ?? "");
    return [
      {
        code: "rests-on-constraint",
        side: "target",
        message: `${name} (${one.kind}) cannot be taken off: ${rests} rests on it, and is not taken off with it.`,
        fix: foreignKey
          ? `Add foreign-key to --kind and ${displayName(foreignKey.schema, foreignKey.table)} to --table; or leave ${one.kind} out of --kind, or ${displayName(one.table.schema, one.table.name)} out with --exclude-table.`
          : `Drop that first; or leave ${one.kind} out of --kind, or ${displayName(one.table.schema, one.table.name)} out with --exclude-table.`,
      },
    ];
  });
}
