import { displayIdent } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { Opened } from "../open.ts";
import type { Run } from "../run.ts";
import { onSameServer } from "../same-server.ts";

/** One limit on sessions, and what it leaves. */
export interface Limit {
  side: "source" | "target";
  /** As the user would look for it: `CONNECTION LIMIT 3 of role app`. */
  name: string;
  kind: "server" | "role" | "database" | "option";
  /** Sessions that may still be opened. */
  left: number;
}

/** What a run opens beside its holder and its control session. */
interface Needs {
  source: { perWorker: number; fixed: number };
  target: { perWorker: number; fixed: number };
}

/** The session that verifies, and with `--strategy template` the one that watches meanwhile. */
const FIXED_ON_TARGET = { copy: 1, template: 2 } as const;

/** Of `max_connections` so many stay free for others, where the server is nearly full: a run that takes the last ones locks people out. */
const LEAVE = 2;

/** Every limit that acts on this run's further sessions, with its need of them for a number of workers. */
export interface Room {
  limits: readonly Limit[];
  /** Workers that fit, `wanted` at most; 0 when not one does. */
  fits: (wanted: number) => number;
  /** The limit that leaves least. */
  tightest: () => { limit: Limit; workers: number } | undefined;
  /** Sessions that the source has room for beside these workers. */
  spareOnSource: (workers: number) => number;
}

export async function readRoom(run: Run, opened: Opened): Promise<Room> {
  const { source, control } = opened;
  const inTarget = run.config.mode === "truncate";
  const limits = [...(await readLimits(source, inTarget)), ...(await readLimits(control, inTarget))];
  const most = run.config.maxSourceConnections;
  // the holder is one of them
  if (most !== undefined) limits.push({ side: "source", kind: "option", name: `--max-source-connections ${most}`, left: most - 1 });
  const shared = await onSameServer(opened);
  const sameRole = shared && run.config.source.user === run.config.target.user;
  const each: Needs = {
    source: { perWorker: 1, fixed: 0 },
    target: { perWorker: 1, fixed: FIXED_ON_TARGET[run.config.strategy] },
  };
  const capacity = (limit: Limit): number => {
    const both = (limit.kind === "server" && shared) || (limit.kind === "role" && sameRole);
    const sum = (key: "perWorker" | "fixed"): number => (both ? each.source[key] + each.target[key] : each[limit.side][key]);
    const workers = Math.floor((limit.left - sum("fixed")) / sum("perWorker"));
    if (limit.kind !== "server" || workers < 1) return Math.max(0, workers);
    return Math.max(1, Math.floor((limit.left - LEAVE - sum("fixed")) / sum("perWorker")));
  };
  return {
    limits,
    fits: (wanted) => limits.reduce((least, limit) => Math.min(least, capacity(limit)), wanted),
    tightest: () => {
      const [first] = limits.map((limit) => ({ limit, workers: capacity(limit) })).toSorted((a, b) => a.workers - b.workers);
      return first;
    },
    spareOnSource: (workers) =>
      limits.filter(({ side }) => side === "source").reduce((least, { left }) => Math.min(least, left - workers), Number.MAX_SAFE_INTEGER),
  };
}

interface Row {
  server: number;
  most: number;
  role: string;
  roleLimit: number;
  roleLeft: number;
  database: string;
  databaseLimit: number;
  databaseLeft: number;
}

/**
 * What of the server, the role and the database is left. A superuser is bound by `max_connections` only. Who may not look at others sees
 * their sessions all the same, but not of which kind: those with a role are taken for clients, which autovacuum has none of.
 */
export async function readLimits(session: Session, inTarget = false): Promise<Limit[]> {
  // in a transaction, such as the holder's, the list of sessions stays as it was when it was first looked at
  await session.query("SELECT pg_catalog.pg_stat_clear_snapshot()");
  const reserved = session.serverVersion >= 160_000 ? "- pg_catalog.current_setting('reserved_connections')::int" : "";
  const [row] = await session.query<Row>(`
WITH s AS (
  SELECT usesysid, datid FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' OR (backend_type IS NULL AND usesysid IS NOT NULL))
SELECT pg_catalog.current_setting('max_connections')::int AS most,
  (pg_catalog.current_setting('max_connections')::int - pg_catalog.current_setting('superuser_reserved_connections')::int ${reserved} - (SELECT count(*) FROM s))::int AS server,
  r.rolname AS role, CASE WHEN r.rolsuper THEN -1 ELSE r.rolconnlimit END AS "roleLimit",
  (r.rolconnlimit - (SELECT count(*) FROM s WHERE usesysid = r.oid))::int AS "roleLeft",
  d.datname AS database, CASE WHEN r.rolsuper THEN -1 ELSE d.datconnlimit END AS "databaseLimit",
  (d.datconnlimit - (SELECT count(*) FROM s WHERE datid = d.oid))::int AS "databaseLeft"
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = SESSION_USER AND d.datname = pg_catalog.current_database()`);
  if (!row) throw new Error("pg_roles does not hold the session's role");
  const { side } = session;
  const limits: Limit[] = [{ side, kind: "server", name: `max_connections = ${row.most}`, left: row.server }];
  if (row.roleLimit >= 0)
    limits.push({ side, kind: "role", name: `CONNECTION LIMIT ${row.roleLimit} of role ${displayIdent(row.role)}`, left: row.roleLeft });
  // the target's workers are in the staging database, which gets the source's limit only at the end
  if (row.databaseLimit >= 0 && (side === "source" || inTarget)) {
    const name = `CONNECTION LIMIT ${row.databaseLimit} of database ${displayIdent(row.database)}`;
    limits.push({ side, kind: "database", name, left: row.databaseLeft });
  }
  return limits;
}
