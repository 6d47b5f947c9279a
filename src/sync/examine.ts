import { type Obstacle, PgdittoError } from "../errors.ts";
import { buildPlan, type Plan } from "../plan/build-plan.ts";
import { dumpObstacles } from "./dump/dump-obstacles.ts";
import { withFacts } from "../postgres/server-error.ts";
import { open, openControl, openSource, type Opened } from "./open.ts";
import { withOwnSql } from "./own-sql-steps.ts";
import { preflight, refusal } from "./preflight/preflight.ts";
import { readSource } from "./read-source.ts";
import { type Run, warnOfConfig } from "./run.ts";
import { examineReload, type TakenOff, versionObstacles } from "./reload/examine-reload.ts";
import { openReload, openQuietly } from "./reload/open-reload.ts";
import { isTemplateObstacle } from "./preflight/template-obstacles.ts";
import { offerTemplate, type TemplateOffer } from "./template-offer.ts";

interface ExaminedPlan {
  plan: Plan;
  obstacles: readonly Obstacle[];
  pgDump: string;
  replaces: Replaces;
  template: TemplateOffer | undefined;
  takenOff: readonly TakenOff[];
}

/** What `sync` would do; nothing is written anywhere, and nobody is asked. */
export async function examinePlan(asked: Run): Promise<ExaminedPlan> {
  const run = await withOwnSql(asked);
  warnOfConfig(run);
  if (run.config.mode === "truncate") return await examineReloadPlan(run);
  await using opened = await open(run);
  const found = await preflight(run, opened);
  const unreadable = found.obstacles.filter(
    (obstacle) => (obstacle.side === "source" && !isTemplateObstacle(obstacle)) || obstacle.code === "server-too-old",
  );
  if (unreadable.length > 0) throw refusal(unreadable);
  const template = await offerTemplate(run, opened, found.abilities);
  const contents = await readSource(run, opened, found);
  return {
    plan: buildPlan({ ...contents, kept: new Map() }),
    obstacles: [...found.obstacles, ...(await dumpObstacles(run, opened))],
    pgDump: contents.pgDump,
    replaces: replaces(opened),
    template,
    takenOff: [],
  };
}

async function examineReloadPlan(run: Run): Promise<ExaminedPlan> {
  await using opened = await openReload(run);
  const old = versionObstacles(opened);
  if (old.length > 0) throw refusal(old);
  const found = await examineReload(run, opened);
  return { ...found, pgDump: "", replaces: ROWS, template: undefined };
}

/** What happens to a database that has the target's name. */
export type Replaces = "nothing" | "a copy made by pgditto" | "a database that pgditto did not make" | "rows of tables that are there";

/** `--mode truncate`. */
const ROWS: Replaces = "rows of tables that are there";

function replaces(opened: Opened): Replaces {
  if (!opened.existing) return "nothing";
  return opened.existing.origin === undefined ? "a database that pgditto did not make" : "a copy made by pgditto";
}

export interface Diagnosis {
  obstacles: readonly Obstacle[];
  source: string;
  target: string;
  replaces: Replaces;
}

/**
 * The preflight alone. When a side cannot be reached, the other is tried too, so that one look shows all.
 * @throws PgdittoError of the side that cannot be reached; with both, the target's failure is in the detail of the source's.
 */
export async function examine(asked: Run): Promise<Diagnosis> {
  const run = await withOwnSql(asked);
  warnOfConfig(run);
  const [source, target] = await Promise.allSettled([
    openSource(run, "doctor"),
    run.config.mode === "truncate" ? openQuietly(run, "doctor", false) : openControl(run, "doctor"),
  ]);
  for (const side of [source, target]) if (side.status === "fulfilled") await side.value[Symbol.asyncDispose]();
  if (source.status === "rejected" && target.status === "rejected") {
    const [first, second] = [source.reason as unknown, target.reason as unknown];
    if (first instanceof PgdittoError && second instanceof PgdittoError) {
      throw withFacts(first, { detail: `And the target: ${second.message}${second.hint === undefined ? "" : ` (${second.hint})`}` });
    }
  }
  if (source.status === "rejected") throw source.reason;
  if (target.status === "rejected") throw target.reason;
  if (run.config.mode === "truncate") {
    await using inTarget = await openReload(run);
    const old = versionObstacles(inTarget);
    const { obstacles } = old.length > 0 ? { obstacles: old } : await examineReload(run, inTarget);
    return { obstacles, ...versions(inTarget), replaces: ROWS };
  }
  await using opened = await open(run);
  const { obstacles } = await preflight(run, opened);
  return { obstacles: [...obstacles, ...(await dumpObstacles(run, opened))], ...versions(opened), replaces: replaces(opened) };
}

function versions({ source, control }: Opened): Pick<Diagnosis, "source" | "target"> {
  return {
    source: source.parameters.get("server_version") ?? "",
    target: control.parameters.get("server_version") ?? "",
  };
}
