import { displayIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";

/** Somebody who is connected to a database. */
export interface Visitor {
  pid: number;
  role: string;
  /** What it calls itself, or what kind of process it is. */
  application: string;
}

/** What keeps a database from being copied as a template. */
export interface Visitors {
  sessions: readonly Visitor[];
  /** Names of prepared transactions. */
  prepared: readonly string[];
}

/**
 * Who is in the database with this OID, but for sessions whose name begins with `own`, and autovacuum, which the server ends by itself:
 * it is the one process there without a role.
 */
export async function readVisitors(session: Session, database: number, own: string): Promise<Visitors> {
  const sessions = await session.query<{ pid: number; role: string; application: string; kind: string | null }>(
    `SELECT pid, pg_catalog.pg_get_userbyid(usesysid)::text AS role, COALESCE(application_name, '') AS application, backend_type AS kind
     FROM pg_catalog.pg_stat_activity WHERE datid = $1 AND usesysid IS NOT NULL AND NOT pg_catalog.starts_with(COALESCE(application_name, ''), $2) ORDER BY 1`,
    [database, own],
  );
  const prepared = await session.query<{ gid: string }>(
    `SELECT x.gid FROM pg_catalog.pg_prepared_xacts x JOIN pg_catalog.pg_database d ON d.datname = x.database WHERE d.oid = $1 ORDER BY 1`,
    [database],
  );
  return {
    sessions: sessions.map(({ pid, role, application, kind }) => ({ pid, role, application: application || (kind ?? "unknown program") })),
    prepared: prepared.map(({ gid }) => gid),
  };
}

export function describeVisitor({ pid, role, application }: Visitor): string {
  return `backend ${pid}: role ${displayIdent(role)}, ${application}`;
}
