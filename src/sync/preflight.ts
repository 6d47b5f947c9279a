import type { Requirements } from "../catalog/requirements.ts";
import { readRequirements, readUnreadable, type Unreadable } from "../catalog/requirements.ts";
import { type Obstacle, PgdittoError } from "../errors.ts";
import { displayIdent, quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { readAbilities, type TargetAbilities } from "../target/abilities.ts";
import { readExisting } from "../target/existing.ts";
import { previousName } from "../target/names.ts";
import { plural } from "../util/format.ts";
import { extensionFix } from "./extension-fix.ts";
import type { Opened } from "./open.ts";
import type { Run } from "./run.ts";

export interface Preflight {
  obstacles: readonly Obstacle[];
  abilities: TargetAbilities;
  requirements: Requirements;
}

/** Oldest server that is read from or written to. */
const OLDEST = 120_000;
/** Sessions beside the copying ones: control and a helper on the target, holder and pg_dump on the source. */
const FEW = 3;

/** Looks for every obstacle at once, on both sides; writes nothing. */
export async function preflight(run: Run, opened: Opened): Promise<Preflight> {
  const old = [tooOld(opened.source, "source"), tooOld(opened.control, "target")].flat();
  if (old.length > 0) throw refusal(old);
  const [abilities, requirements, unreadable] = await Promise.all([
    readAbilities(opened.control),
    readRequirements(opened.source),
    readUnreadable(opened.source),
  ]);
  const obstacles = [
    ...readingObstacles(unreadable, opened.sourceIdentity.role),
    ...roleObstacles(run, requirements, abilities),
    ...extensionObstacles(run, requirements, abilities, opened.control.serverVersion),
    ...tablespaceObstacles(run, requirements, abilities),
    ...targetObstacles(run, opened, abilities, requirements.superuserOnly),
    ...(await previousObstacles(run, opened.control)),
    ...(await connectionObstacles(run, opened.source)),
  ];
  return { obstacles, abilities, requirements };
}

/** The error that a run ends with when there are obstacles: exit code 6, nothing was touched. */
export function refusal(obstacles: readonly Obstacle[]): PgdittoError {
  const [first] = obstacles;
  return new PgdittoError(
    "preflight",
    obstacles.length === 1 && first ? first.message : `${plural(obstacles.length, "obstacle")} found. Nothing was touched.`,
    {
      object: obstacles.length === 1 ? first?.code : undefined,
      side: obstacles.length === 1 ? first?.side : undefined,
      hint:
        obstacles.length === 1
          ? first?.fix
          : "Each obstacle is listed with its fix. `pgditto doctor` looks for them again without doing anything.",
      obstacles,
    },
  );
}

function tooOld(session: Session, side: "source" | "target"): Obstacle[] {
  if (session.serverVersion >= OLDEST) return [];
  const version = session.parameters.get("server_version") ?? "?";
  return [
    {
      code: "server-too-old",
      side,
      message: `The ${side} is PostgreSQL ${version}; pgditto needs 12 or newer.`,
      fix: "Upgrade it, or use the pg_dump and psql of its own time.",
    },
  ];
}

function readingObstacles(unreadable: Unreadable, role: string): Obstacle[] {
  const { schemas, tables, sequences, rowSecurity, largeObjects } = unreadable;
  const to = displayIdent(role);
  const list: Array<[string, readonly string[], string, (names: string) => string]> = [
    ["no-usage", schemas, "may not look into", (names) => `GRANT USAGE ON SCHEMA ${names} TO ${to};`],
    ["no-select", tables, "may not read", (names) => `GRANT SELECT ON ${names} TO ${to};`],
    ["no-select-sequence", sequences, "may not read", (names) => `GRANT SELECT ON SEQUENCE ${names} TO ${to};`],
    [
      "row-security",
      rowSecurity,
      "would not see all rows (row-level security) of",
      () => `ALTER ROLE ${to} BYPASSRLS; or use a role that has it`,
    ],
  ];
  const found = list
    .filter(([, names]) => names.length > 0)
    .map(([code, names, what, fix]): Obstacle => ({
      code,
      side: "source",
      message: `Role ${to} ${what} ${names.join(", ")}.`,
      fix: fix(names.join(", ")),
    }));
  if (largeObjects > 0) {
    found.push({
      code: "no-select-large-object",
      side: "source",
      message: `Role ${to} may not read ${plural(largeObjects, "large object")}.`,
      fix: "GRANT SELECT ON LARGE OBJECT … TO the role, or use one that owns them.",
    });
  }
  return found;
}

function roleObstacles(run: Run, requirements: Requirements, abilities: TargetAbilities): Obstacle[] {
  const { noOwner, noAcl } = run.config;
  return requirements.roles.flatMap((role): Obstacle[] => {
    const name = displayIdent(role.name);
    const owns = role.owns && !noOwner;
    const needed = owns || (role.granted && !noAcl) || role.named;
    if (needed && !abilities.roles.has(role.name)) {
      const why = [
        role.owns ? "owns objects" : "",
        role.granted ? "is granted privileges" : "",
        role.named ? "is named by a policy or setting" : "",
      ];
      const without = [role.owns ? "--no-owner" : "", role.granted ? "--no-acl" : ""].filter((flag) => flag !== "").join(" ");
      return [
        {
          code: "missing-role",
          side: "target",
          message: `The target has no role ${name}, which ${why.filter((part) => part !== "").join(" and ")}.`,
          fix: `CREATE ROLE ${quoteIdent(role.name)}; on the target${without === "" || role.named ? "" : `, or go on without: ${without}`}`,
        },
      ];
    }
    if (!owns || abilities.memberOf.has(role.name)) return [];
    return [
      {
        code: "not-member",
        side: "target",
        message: `Role ${displayIdent(abilities.role)} may not give objects to role ${name}, which owns some.`,
        fix: `GRANT ${quoteIdent(role.name)} TO ${quoteIdent(abilities.role)}; on the target, or let it own everything: --no-owner`,
      },
    ];
  });
}

function extensionObstacles(run: Run, requirements: Requirements, abilities: TargetAbilities, targetVersion: number): Obstacle[] {
  return requirements.extensions
    .filter(({ name }) => !run.config.skipExtensions.includes(name))
    .flatMap(({ name }): Obstacle[] => {
      const offer = abilities.extensions.get(name);
      const without = `or go on without it: --skip-extension ${name}`;
      if (!offer)
        return [
          {
            code: "missing-extension",
            side: "target",
            message: `Extension ${name} is not installed on the target's machine.`,
            fix: `${extensionFix(name, targetVersion)}, ${without}`,
          },
        ];
      if (offer.allowed) return [];
      return [
        {
          code: "extension-not-allowed",
          side: "target",
          message: `Role ${displayIdent(abilities.role)} may not create extension ${name}: only a superuser may.`,
          fix: `Use a superuser for the target, ${without}`,
        },
      ];
    });
}

function tablespaceObstacles(run: Run, requirements: Requirements, abilities: TargetAbilities): Obstacle[] {
  if (run.config.noTablespaces) return [];
  return requirements.tablespaces
    .filter((name) => !abilities.tablespaces.has(name))
    .map((name) => ({
      code: "missing-tablespace",
      side: "target",
      message: `The target has no tablespace ${displayIdent(name)}.`,
      fix: `CREATE TABLESPACE ${quoteIdent(name)} LOCATION '…'; on the target, or put everything into the default one: --no-tablespaces`,
    }));
}

function targetObstacles(run: Run, opened: Opened, abilities: TargetAbilities, superuserOnly: readonly string[]): Obstacle[] {
  const role = displayIdent(abilities.role);
  const found: Obstacle[] = [];
  if (abilities.inRecovery)
    found.push({
      code: "standby",
      side: "target",
      message: "The target is a standby: it cannot be written to.",
      fix: "Name the primary as the target.",
    });
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
  const needed = run.config.jobs * run.config.batchSize + FEW;
  if (needed > abilities.maxConnections) found.push(tooManyConnections("target", needed, abilities.maxConnections));
  return found;
}

async function connectionObstacles(run: Run, source: Session): Promise<Obstacle[]> {
  const [row] = await source.query<{ n: number }>(
    "SELECT pg_catalog.current_setting('max_connections')::int - pg_catalog.current_setting('superuser_reserved_connections')::int AS n",
  );
  const needed = run.config.jobs * run.config.batchSize + FEW;
  return row && needed > row.n ? [tooManyConnections("source", needed, row.n)] : [];
}

function tooManyConnections(side: "source" | "target", needed: number, there: number): Obstacle {
  return {
    code: "connections",
    side,
    message: `The run needs ${needed} connections to the ${side}, which allows ${there}.`,
    fix: "Lower PG_JOBS or BATCH_SIZE, or raise max_connections.",
  };
}

async function previousObstacles(run: Run, control: Session): Promise<Obstacle[]> {
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
