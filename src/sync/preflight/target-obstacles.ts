import type { Obstacle } from "../../errors.ts";
import { displayIdent, quoteIdent, quoteLiteral } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { TargetAbilities } from "../../target/abilities.ts";
import { readExisting } from "../../target/existing.ts";
import { previousName } from "../../target/names.ts";
import type { Opened } from "../open.ts";
import type { Run } from "../run.ts";

export const STANDBY: Obstacle = {
  code: "standby",
  side: "target",
  message: "The target is a standby: it cannot be written to.",
  fix: "Name the primary as the target.",
};

/** What the target's server, its role and the database of that name stand in the way with. */
export function targetObstacles(
  run: Run,
  opened: Pick<Opened, "existing">,
  abilities: TargetAbilities,
  superuserOnly: readonly string[],
): Obstacle[] {
  const role = displayIdent(abilities.role);
  const found: Obstacle[] = [];
  if (abilities.inRecovery) found.push(STANDBY);
  if (!abilities.mayCreateDatabase)
    found.push({
      code: "no-createdb",
      side: "target",
      message: `Role ${role} may not create databases on the target.`,
      fix: `ALTER ROLE ${role} CREATEDB;`,
    });
  if (opened.existing && !opened.existing.mayReplace) {
    found.push({
      code: "not-owner",
      side: "target",
      message: `Role ${role} does not own the target database, ${displayIdent(opened.existing.owner)} does.`,
      fix: `ALTER DATABASE ${quoteIdent(run.config.target.database)} OWNER TO ${role}; or connect as its owner.`,
    });
  }
  if (!abilities.superuser && superuserOnly.length > 0) {
    found.push({
      code: "needs-superuser",
      side: "target",
      message: `Role ${role} is not a superuser on the target, and the source holds what only one may create: ${superuserOnly.join(", ")}.`,
      fix: `Use a superuser for the target, or ALTER ROLE ${role} SUPERUSER;`,
    });
  }
  return found;
}

/** Prepared transactions keep a database from being renamed or dropped, and nobody but their owner may end them. */
export async function preparedObstacles(run: Run, control: Session): Promise<Obstacle[]> {
  const rows = await control.query<{ gid: string }>("SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1 ORDER BY 1", [
    run.config.target.database,
  ]);
  if (rows.length === 0) return [];
  return [
    {
      code: "prepared-transactions",
      side: "target",
      message: `Prepared transactions hold the target database: ${rows.map(({ gid }) => gid).join(", ")}.`,
      fix: `In it: ${rows.map(({ gid }) => `COMMIT PREPARED ${quoteLiteral(gid)}; or ROLLBACK PREPARED ${quoteLiteral(gid)};`).join(" ")}`,
    },
  ];
}

/** A `<target>_previous` of somebody else, which --keep-previous would replace. */
export async function previousObstacles(run: Run, control: Session): Promise<Obstacle[]> {
  if (!run.config.keepPrevious) return [];
  const name = previousName(run.config.target.database);
  const there = await readExisting(control, name);
  if (!there || there.origin !== undefined || run.config.yes) return [];
  return [
    {
      code: "previous-exists",
      side: "target",
      message: `A database ${displayIdent(name)} exists and pgditto did not make it; --keep-previous would replace it.`,
      fix: "Rename or drop it, or confirm with --yes.",
    },
  ];
}
