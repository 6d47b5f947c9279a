import { type DatabaseIdentity, readIdentity } from "../catalog/database.ts";
import type { Session } from "../postgres/session.ts";

interface Ends {
  source: Session;
  /** On the target's cluster. */
  control: Session;
  sourceIdentity: DatabaseIdentity;
}

/** By system identifier; where a role may not ask for it, by the moment that the server was started. A standby has its primary's identifier. */
export async function onSameCluster(ends: Ends): Promise<boolean> {
  const theirs = (await readIdentity(ends.control)).systemIdentifier;
  const ours = ends.sourceIdentity.systemIdentifier;
  return ours !== "" && theirs !== "" ? ours === theirs : await startedTogether(ends);
}

/** The same cluster, and not a standby on the one side and its primary on the other. */
export async function onSameServer(ends: Ends): Promise<boolean> {
  return (await onSameCluster(ends)) && (await startedTogether(ends));
}

async function startedTogether({ source, control }: Ends): Promise<boolean> {
  return (await startTime(source)) === (await startTime(control));
}

async function startTime(session: Session): Promise<string> {
  const [row] = await session.query<{ at: string }>("SELECT pg_catalog.pg_postmaster_start_time()::text AS at");
  return row?.at ?? "";
}
