import type { DatabaseIdentity } from "../../catalog/database.ts";
import { readRequirements, readUnreadable, type Requirements } from "../../catalog/requirements.ts";
import { type Obstacle, PgdittoError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { readAbilities, type TargetAbilities } from "../../target/abilities.ts";
import { plural } from "../../util/format.ts";
import { connectionObstacles } from "./fit-workers.ts";
import type { Opened } from "../open.ts";
import { extensionObstacles, localeObstacles, roleObstacles, tablespaceObstacles } from "./requirement-obstacles.ts";
import type { Run } from "../run.ts";
import { readingObstacles } from "./source-obstacles.ts";
import { spaceObstacles } from "./space-obstacles.ts";
import { readSourceSpace } from "./target-space.ts";
import { templateObstacles } from "./template-obstacles.ts";
import { lagObstacles } from "../watch/watch-lag.ts";
import { preparedObstacles, previousObstacles, targetObstacles } from "./target-obstacles.ts";

export interface Preflight {
  obstacles: readonly Obstacle[];
  abilities: TargetAbilities;
  requirements: Requirements;
}

/** Oldest server that is read from or written to. */
const OLDEST = 120_000;
/** Looks for every obstacle at once, on both sides; writes nothing. */
export async function preflight(run: Run, opened: Opened): Promise<Preflight> {
  const old = [tooOld(opened.source, "source"), tooOld(opened.control, "target")].flat();
  if (old.length > 0) throw refusal(old);
  const [abilities, requirements, unreadable] = await Promise.all([
    readAbilities(opened.control),
    readRequirements(opened.source),
    readUnreadable(opened.source),
  ]);
  const byTemplate = run.config.strategy === "template";
  const obstacles = [
    ...readingObstacles(unreadable, opened.sourceIdentity.role),
    // whoever copies files creates no object, and gives none away
    ...(byTemplate ? await templateObstacles(run, opened, abilities) : await objectObstacles(run, opened, requirements, abilities)),
    ...(await databaseObstacles(run, opened, abilities, byTemplate ? [] : requirements.superuserOnly)),
    ...(await connectionObstacles(run, opened, abilities)),
    ...(await spaceObstacles(run, opened, await readSourceSpace(run, opened.source, opened.sourceIdentity.bytes))),
    ...(await lagObstacles(run, opened)),
  ];
  return { obstacles, abilities, requirements };
}

/** What the source's objects need and the target has not. */
export async function objectObstacles(
  run: Run,
  ends: Pick<Opened, "control"> & { sourceIdentity: Pick<DatabaseIdentity, "locales"> },
  requirements: Requirements,
  abilities: TargetAbilities,
): Promise<Obstacle[]> {
  return [
    ...roleObstacles(run, requirements, abilities),
    ...extensionObstacles(run, requirements, abilities, ends.control.serverVersion),
    ...tablespaceObstacles(run, requirements, abilities),
    ...(await localeObstacles(ends)),
  ];
}

/** What keeps the target database from being made and replaced. */
export async function databaseObstacles(
  run: Run,
  ends: Pick<Opened, "control" | "existing">,
  abilities: TargetAbilities,
  superuserOnly: readonly string[],
): Promise<Obstacle[]> {
  return [
    ...targetObstacles(run, ends, abilities, superuserOnly),
    ...(await previousObstacles(run, ends.control)),
    ...(await preparedObstacles(run, ends.control)),
  ];
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

/** Oldest servers have catalogs that are not read. */
export function tooOld(session: Session, side: "source" | "target"): Obstacle[] {
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
