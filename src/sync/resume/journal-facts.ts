import { SELECTION, SELECTION_KEYS } from "../../config/selection-options.ts";
import type { Opened } from "../open.ts";
import type { Session } from "../../postgres/session.ts";
import { stepsOf } from "../own-sql-steps.ts";
import type { Run } from "../run.ts";
import { VERSION } from "../version.ts";

/** What a run writes into the journal about itself, and what one that goes on with its staging database must find the same. */
export interface JournalFacts {
  version: string;
  /** `pg_control_system()` of the source's server; empty where the role may not ask. */
  system: string;
  /** OID of the source database. */
  database: number;
  /** Timeline of the server: another one after a restore or a failover. */
  timeline: number;
  /** Place in the source's WAL of the last snapshot that rows were copied under. */
  lsn: string;
  /** `--mode recreate` has dropped the target for it. */
  targetDropped: boolean;
  /** What was to be copied: the values of the options that say so. */
  selection: Readonly<Record<string, unknown>>;
  /** Keys of the user's own SQL that runs before the rows come: what is there was made with it. */
  sql: readonly string[];
}

export async function readOwnFacts(
  run: Run,
  opened: Pick<Opened, "source" | "sourceIdentity">,
): Promise<Omit<JournalFacts, "lsn" | "targetDropped">> {
  return {
    version: VERSION,
    system: opened.sourceIdentity.systemIdentifier,
    database: opened.sourceIdentity.oid,
    timeline: await readTimeline(opened.source),
    selection: Object.fromEntries(SELECTION_KEYS.map((key) => [key, run.config[key]])),
    sql: stepsOf(run, "before", "after-schema").map(({ key }) => key),
  };
}

/** Why what an earlier run made cannot be gone on with; empty: it can. */
export function factsThatDiffer(theirs: JournalFacts, ours: Omit<JournalFacts, "lsn" | "targetDropped">): string[] {
  const flags = SELECTION_KEYS.filter((key) => JSON.stringify(theirs.selection[key]) !== JSON.stringify(ours.selection[key]));
  return [
    ...(theirs.version === ours.version ? [] : [`it was made by pgditto ${theirs.version}, and this is ${ours.version}`]),
    ...(theirs.system === ours.system && theirs.database === ours.database ? [] : ["it was made from another source"]),
    ...(theirs.timeline === ours.timeline ? [] : ["the source was restored or has failed over since (its timeline is another one)"]),
    ...(JSON.stringify(theirs.sql) === JSON.stringify(ours.sql)
      ? []
      : ["it was made with other SQL of the stages before and after-schema, or other values of --set"]),
    ...(flags.length === 0 ? [] : [`it was made with other values of ${flags.map((key) => `--${SELECTION[key].flag}`).join(", ")}`]),
  ];
}

/** @throws nothing: what is no journal of ours is undefined. */
export function parseFacts(text: string): JournalFacts | undefined {
  try {
    const facts: unknown = JSON.parse(text);
    return typeof facts === "object" && facts !== null && "version" in facts && "selection" in facts ? (facts as JournalFacts) : undefined;
  } catch {
    return undefined;
  }
}

async function readTimeline(session: Session): Promise<number> {
  const [row] = await session.query<{ timeline: number | null }>(`
SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
  THEN CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE') THEN (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()) END
  ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4 END AS timeline`);
  return row?.timeline ?? 0;
}
