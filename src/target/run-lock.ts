import { createHash } from "node:crypto";

import { PgdittoError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";

/** Advisory lock classes: "pgdt" for a target, "pgdr" for a run. The object part is a hash of the name. */
const TARGET_CLASS = 0x70676474;
const RUN_CLASS = 0x70676472;

/**
 * Holds the target for this run as long as the session lives: when the process dies, so does the lock. Advisory locks belong to
 * a database, and two runs may have entered through different ones, so others' are looked for in all of them.
 * @throws PgdittoError `locked` naming the other run's backend, host and start.
 */
export async function holdTarget(session: Session, target: string, run: string): Promise<void> {
  // only a session of this very run can have it: one that was lost, and the server has not noticed yet
  await session.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_locks
     WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid = $2::bigint::oid AND pid <> pg_catalog.pg_backend_pid()`,
    [RUN_CLASS, unsigned(hash(run))],
  );
  await holdRun(session, run);
  const [mine] = await session.query<{ held: boolean }>("SELECT pg_catalog.pg_try_advisory_lock($1, $2) AS held", [
    TARGET_CLASS,
    hash(target),
  ]);
  const [other] = await session.query<{ pid: number; name: string | null; address: string | null; start: string | null }>(
    `SELECT l.pid, a.application_name AS name, a.client_addr::text AS address, a.backend_start::text AS start
     FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.classid = $1::bigint::oid AND l.objid = $2::bigint::oid AND l.pid <> pg_catalog.pg_backend_pid() AND l.granted`,
    [TARGET_CLASS, unsigned(hash(target))],
  );
  if (mine?.held === true && !other) return;
  throw new PgdittoError("locked", `Another run holds the target ${target}.`, {
    object: target,
    side: "target",
    detail: other
      ? `It is ${other.name ?? "a pgditto"}, from ${other.address ?? "the server itself"}, backend ${other.pid}, since ${other.start ?? "?"}.`
      : undefined,
    hint: "Wait for it, or end it; its lock goes with its connection.",
  });
}

/** Says that a run is alive, as long as the session is. */
export async function holdRun(session: Session, run: string): Promise<void> {
  await session.query("SELECT pg_catalog.pg_advisory_lock($1, $2)", [RUN_CLASS, hash(run)]);
}

/** The runs, of those given, whose lock somebody holds: they are alive. */
export async function livingRuns(session: Session, runs: readonly string[]): Promise<Set<string>> {
  const rows = await session.query<{ id: string }>(
    "SELECT objid::bigint::text AS id FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted",
    [RUN_CLASS],
  );
  const held = new Set(rows.map((row) => row.id));
  return new Set(runs.filter((run) => held.has(String(unsigned(hash(run))))));
}

function hash(name: string): number {
  return createHash("sha256").update(name).digest().readInt32BE(0);
}

/** `pg_locks` shows the signed halves of an advisory key as OIDs. */
function unsigned(value: number): number {
  return value >>> 0;
}
