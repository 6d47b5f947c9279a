import type { Obstacle } from "../../errors.ts";
import { displayIdent, quoteIdent, quoteLiteral } from "../../postgres/quote.ts";
import type { TargetAbilities } from "../../target/abilities.ts";
import { describeVisitor, readVisitors, type Visitors } from "../../target/sessions-in.ts";
import { plural } from "../../util/format.ts";
import { sleep } from "../../util/wait.ts";
import { type Opened, ownNames } from "../open.ts";
import type { Run } from "../run.ts";
import { onSameServer } from "../same-server.ts";

/** Codes of what only stands in the way of `--strategy template` begin with this: the source can be read all the same. */
const TEMPLATE_CODE = "template-";
/** So many sessions are listed. */
const LISTED = 10;
/** A session is seen a moment longer than its connection lasts: looks, and milliseconds between them. */
const LOOKS = 4;
const PAUSE_MS = 250;

export function isTemplateObstacle({ code }: Obstacle): boolean {
  return code.startsWith(TEMPLATE_CODE);
}

/** All that keeps the server from copying the source's files. */
export async function templateObstacles(run: Run, opened: Opened, abilities: TargetAbilities): Promise<Obstacle[]> {
  if (!(await onSameServer(opened))) {
    return [
      {
        code: "template-other-server",
        side: "target",
        message: "--strategy template copies within one server, and source and target are on two.",
        fix: "Leave out --strategy template.",
      },
    ];
  }
  const facts = await readTemplateFacts(opened);
  return [
    ...ownerObstacles(opened, abilities, facts),
    ...collationObstacles(opened, facts),
    ...visitorObstacles(opened, await lingering(run, opened)),
  ];
}

interface TemplateFacts {
  owner: string;
  /** The target's role may name it as a template, by ownership or because everybody may. */
  allowed: boolean;
  /** Versions of the default collation: what the database was made with, and what the operating system has. */
  collation: { made: string | null; now: string | null };
}

export async function readTemplateFacts({ control, sourceIdentity }: Opened): Promise<TemplateFacts> {
  // dbcommands.c refuses a template whose collation has changed since PostgreSQL 15
  const collation =
    control.serverVersion >= 150_000
      ? "d.datcollversion AS made, pg_catalog.pg_database_collation_actual_version(d.oid) AS now"
      : "NULL AS made, NULL AS now";
  const [row] = await control.query<{ owner: string; allowed: boolean; made: string | null; now: string | null }>(
    `SELECT pg_catalog.pg_get_userbyid(d.datdba) AS owner, d.datistemplate OR pg_catalog.pg_has_role(d.datdba, 'USAGE') AS allowed, ${collation}
     FROM pg_catalog.pg_database d WHERE d.oid = $1`,
    [sourceIdentity.oid],
  );
  if (!row) throw new Error("pg_database does not hold the source");
  return { owner: row.owner, allowed: row.allowed, collation: { made: row.made, now: row.now } };
}

function ownerObstacles({ sourceIdentity }: Opened, abilities: TargetAbilities, { owner, allowed }: TemplateFacts): Obstacle[] {
  if (allowed && abilities.memberOf.has(owner)) return [];
  return [
    {
      code: "template-not-owner",
      side: "target",
      message: `Role ${displayIdent(abilities.role)} may not copy the database ${displayIdent(sourceIdentity.name)} and give the copy to its owner, ${displayIdent(owner)}.`,
      fix: `Use ${displayIdent(owner)} or a superuser for the target, or GRANT ${quoteIdent(owner)} TO ${quoteIdent(abilities.role)};`,
    },
  ];
}

function collationObstacles({ sourceIdentity }: Opened, { collation: { made, now } }: TemplateFacts): Obstacle[] {
  if (made === null || made === now) return [];
  const name = quoteIdent(sourceIdentity.name);
  return [
    {
      code: "template-collation",
      side: "source",
      message: `The source was made with version ${made} of its collation, and the operating system has ${now ?? "none"}: it cannot be a template.`,
      fix: `Rebuild what depends on it and say so: REINDEX DATABASE ${name}; ALTER DATABASE ${name} REFRESH COLLATION VERSION; or leave out --strategy template.`,
    },
  ];
}

/** Who is still there after a second. */
async function lingering(run: Run, { control, sourceIdentity }: Opened): Promise<Visitors> {
  for (let look = 1; ; look += 1) {
    const visitors = await readVisitors(control, sourceIdentity.oid, ownNames(run));
    if (visitors.sessions.length === 0 || look >= LOOKS) return visitors;
    await sleep(PAUSE_MS, run.signal);
  }
}

function visitorObstacles({ sourceIdentity }: Opened, { sessions, prepared }: Visitors): Obstacle[] {
  const found: Obstacle[] = [];
  const name = displayIdent(sourceIdentity.name);
  if (sessions.length > 0) {
    const listed = sessions.slice(0, LISTED).map(describeVisitor);
    const more = sessions.length > LISTED ? [`and ${sessions.length - LISTED} more`] : [];
    const pids = sessions.map(({ pid }) => pid).join(", ");
    found.push({
      code: "template-sessions",
      side: "source",
      message: `${plural(sessions.length, "session")} in the source ${name}, which nobody may be connected to: ${[...listed, ...more].join("; ")}.`,
      fix: `pgditto ends no session of the source. End them, and keep them away: SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (${pids}); or leave out --strategy template.`,
    });
  }
  if (prepared.length > 0) {
    found.push({
      code: "template-prepared",
      side: "source",
      message: `Prepared transactions hold the source ${name}: ${prepared.join(", ")}.`,
      fix: `In it: ${prepared.map((gid) => `COMMIT PREPARED ${quoteLiteral(gid)}; or ROLLBACK PREPARED ${quoteLiteral(gid)};`).join(" ")}`,
    });
  }
  return found;
}
