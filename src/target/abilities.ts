import type { Session } from "../postgres/session.ts";

/** What the target's server and role can do and hold; read without writing anything. */
export interface TargetAbilities {
  role: string;
  superuser: boolean;
  mayCreateDatabase: boolean;
  inRecovery: boolean;
  roles: ReadonlySet<string>;
  /** Roles that ours is, or may become: it can give objects to them. */
  memberOf: ReadonlySet<string>;
  tablespaces: ReadonlySet<string>;
  /** By name: the version that CREATE EXTENSION installs, and whether this role may. */
  extensions: ReadonlyMap<string, { version: string; allowed: boolean }>;
  maxConnections: number;
  /** Values are stored in less time with lz4 than with the default; the logical result is the same. */
  lz4: boolean;
  /** Settings in bytes. */
  memory: { sharedBuffers: number; workMem: number };
}

export async function readAbilities(session: Session): Promise<TargetAbilities> {
  const [me] = await session.query<{
    role: string;
    superuser: boolean;
    createdb: boolean;
    recovery: boolean;
    connections: number;
    lz4: boolean;
    shared: string;
    work: string;
  }>(`
SELECT CURRENT_USER AS role, r.rolsuper AS superuser, r.rolsuper OR r.rolcreatedb AS createdb, pg_catalog.pg_is_in_recovery() AS recovery,
  pg_catalog.current_setting('max_connections')::int - pg_catalog.current_setting('superuser_reserved_connections')::int AS connections,
  EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) AS lz4,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS shared, pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')) AS work
FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER`);
  if (!me) throw new Error("pg_roles does not hold the current role");
  const mode = session.serverVersion >= 160_000 ? "SET" : "MEMBER";
  const roles = await session.query<{ name: string; member: boolean }>(
    `SELECT rolname AS name, pg_catalog.pg_has_role(oid, '${mode}') AS member FROM pg_catalog.pg_roles`,
  );
  const tablespaces = await session.query<{ name: string }>("SELECT spcname AS name FROM pg_catalog.pg_tablespace");
  const trusted = session.serverVersion >= 130_000 ? "v.trusted" : "false";
  const extensions = await session.query<{ name: string; version: string; open: boolean }>(`
SELECT e.name, e.default_version AS version, COALESCE(bool_or(NOT v.superuser OR ${trusted}), false) AS open
FROM pg_catalog.pg_available_extensions e LEFT JOIN pg_catalog.pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
GROUP BY 1, 2`);
  return {
    role: me.role,
    superuser: me.superuser,
    mayCreateDatabase: me.createdb,
    inRecovery: me.recovery,
    roles: new Set(roles.map((role) => role.name)),
    memberOf: new Set(roles.filter((role) => role.member).map((role) => role.name)),
    tablespaces: new Set(tablespaces.map((tablespace) => tablespace.name)),
    extensions: new Map(
      extensions.map((extension) => [extension.name, { version: extension.version, allowed: me.superuser || extension.open }]),
    ),
    maxConnections: me.connections,
    lz4: me.lz4,
    memory: { sharedBuffers: Number(me.shared), workMem: Number(me.work) },
  };
}
