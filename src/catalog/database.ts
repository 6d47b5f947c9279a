import type { Session } from "../postgres/session.ts";

/** Who and what a session is connected to. */
export interface DatabaseIdentity {
  /** `pg_control_system()`: the same for a server and its physical replicas. Empty where the role may not ask. */
  systemIdentifier: string;
  oid: number;
  name: string;
  encoding: string;
  /** Locales of libc that CREATE DATABASE names: LC_COLLATE and LC_CTYPE. */
  locales: readonly string[];
  inRecovery: boolean;
  superuser: boolean;
  role: string;
  /** Tables and materialized views on disk, in bytes. */
  bytes: number;
}

export async function readIdentity(session: Session): Promise<DatabaseIdentity> {
  const [row] = await session.query<Omit<DatabaseIdentity, "systemIdentifier" | "bytes"> & { bytes: string }>(`
SELECT d.oid, d.datname AS name, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding, ARRAY[d.datcollate::text, d.datctype::text] AS locales,
  pg_catalog.pg_is_in_recovery() AS "inRecovery", CURRENT_USER AS role,
  (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) AS superuser,
  pg_catalog.pg_database_size(d.oid) AS bytes
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`);
  if (!row) throw new Error("pg_database does not hold the current database");
  return { ...row, bytes: Number(row.bytes), systemIdentifier: await readSystemIdentifier(session) };
}

async function readSystemIdentifier(session: Session): Promise<string> {
  const [may] = await session.query<{ may: boolean }>(
    "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may",
  );
  if (!may?.may) return "";
  const [row] = await session.query<{ id: string }>("SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()");
  return row?.id ?? "";
}
