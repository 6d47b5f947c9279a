import type { Session } from "../postgres/session.ts";

export interface TriggerInfo {
  oid: number;
  name: string;
  table: number;
}

/** Triggers that somebody made, by the OIDs in pg_dump's script. */
export async function readTriggers(session: Session): Promise<TriggerInfo[]> {
  return session.query<TriggerInfo>("SELECT oid, tgname AS name, tgrelid AS table FROM pg_catalog.pg_trigger WHERE NOT tgisinternal");
}
