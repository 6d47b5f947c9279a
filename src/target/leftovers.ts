import type { Session } from "../postgres/session.ts";
import { livingRuns } from "./run-lock.ts";
import { runOfName } from "./names.ts";

/** A database or a folder that a run made and left. */
export interface Leftover {
  kind: "database" | "folder" | "dump-folder";
  /** The database's name, or the folder's path. */
  object: string;
  /** The run's id; empty for a folder that holds no dump. */
  run: string;
  /** Whose staging database it is; empty for folders. */
  target: string;
  bytes: number;
  /** The run that made it still holds its lock. */
  alive: boolean;
  /** When the run began, as far as its note says. */
  started: string | undefined;
}

/**
 * Databases with names that a run gives, and the note or the target's own name to prove it. With a target, only that one's.
 */
export async function findLeftovers(session: Session, target?: string): Promise<Leftover[]> {
  const rows = await session.query<{ name: string; note: string | null; bytes: string | null }>(
    `SELECT d.datname AS name, pg_catalog.shobj_description(d.oid, 'pg_database') AS note,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid) END AS bytes
     FROM pg_catalog.pg_database d WHERE d.datname LIKE '%\\_\\_pgditto\\_%' ORDER BY 1`,
  );
  const found = rows.flatMap((row) => {
    const note = readNote(row.note);
    const owner = target ?? note?.target ?? row.name.slice(0, row.name.lastIndexOf("__pgditto_"));
    const run = runOfName(row.name, owner);
    if (run === undefined || (note !== undefined && note.target !== owner)) return [];
    return [{ kind: "database" as const, object: row.name, run, target: owner, bytes: Number(row.bytes ?? 0), started: note?.started }];
  });
  const alive = await livingRuns(
    session,
    found.map((leftover) => leftover.run),
  );
  return found.map((leftover) => ({ ...leftover, alive: alive.has(leftover.run) }));
}

function readNote(comment: string | null): { target: string; started: string } | undefined {
  if (!comment?.startsWith("pgditto staging {")) return undefined;
  try {
    const note: unknown = JSON.parse(comment.slice("pgditto staging ".length));
    if (typeof note !== "object" || note === null || !("target" in note) || !("started" in note)) return undefined;
    return { target: String(note.target), started: String(note.started) };
  } catch {
    return undefined; // somebody else's comment
  }
}
