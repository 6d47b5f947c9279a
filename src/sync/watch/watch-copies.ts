import { PgdittoError, type Side } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { formatDuration } from "../../util/format.ts";
import { ownNames } from "../open.ts";
import type { Run } from "../run.ts";

export interface CopyWatch {
  /** Looks at the run's copies on this session's server; as good a sign of its life as any other answer. */
  look: (session: Session) => Promise<void>;
  /** The copy of which nothing has moved for so long, on either side, as the error that ends the run. */
  stalled: (limitMs: number) => PgdittoError | undefined;
}

/** A COPY on one of the servers, as it was seen last. */
interface Seen {
  pid: number;
  /** Changes when anything moves. */
  mark: string;
  wait: string | null;
  since: number;
  query: string;
}

interface Row {
  worker: string;
  pid: number;
  mark: string;
  wait: string | null;
  query: string;
}

/** From PostgreSQL 14 on the server counts the rows and bytes of a COPY. Those of pg_dump and pg_restore have one side, and are known by it. */
const COPIES = `
  SELECT COALESCE(pg_catalog.substring(a.application_name, 'worker [0-9]+'), 'backend ' || a.pid) AS worker, a.pid, a.wait_event_type AS wait, pg_catalog.left(a.query, 200) AS query,
    pg_catalog.concat_ws(' ', a.pid, a.query_start, a.wait_event_type, a.wait_event, p.relid, p.bytes_processed, p.tuples_processed) AS mark
  FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_stat_progress_copy p USING (pid)
  WHERE pg_catalog.starts_with(a.application_name, $1) AND a.state = 'active'
    AND pg_catalog.substring(a.application_name, pg_catalog.length($1) + 1) ~ '^(worker|pg_dump|pg_restore) '`;

/** Whoever waits for the other end of its connection, or for nothing at all, moves within moments; these may rightly take their time. */
const PATIENT = new Set(["Timeout", "Lock", "Extension"]);
const PATIENCE = 10;

/**
 * A process of the server that stands still, or a single connection that a firewall has forgotten, is not to be seen by asking the
 * server, for its other processes answer. Of a copy that moves, though, something changes on one of the two sides: rows, bytes, or
 * what it waits for. A row that sleeps or waits for a lock where it is checked gets ten times as long. Other statements, such as an
 * index that is being sorted in memory, can show nothing for as long as they like, and are not judged.
 */
export function watchCopies(run: Run): CopyWatch {
  const seen = { source: new Map<string, Seen>(), target: new Map<string, Seen>() };
  return {
    look: async (session) => {
      if (session.serverVersion < 140_000) return await session.run("SELECT 1");
      const rows = await session.query<Row>(COPIES, [ownNames(run)]);
      const now = performance.now();
      const before = seen[session.side];
      const current = rows.map(({ worker, ...copy }): [string, Seen] => {
        const known = before.get(worker);
        return [worker, { ...copy, since: known?.mark === copy.mark ? known.since : now }];
      });
      seen[session.side] = new Map(current);
    },
    stalled: (limitMs) => {
      const now = performance.now();
      for (const worker of new Set([...seen.source.keys(), ...seen.target.keys()])) {
        // one side may be through with it already: buffers on the way hold megabytes
        const [source, target] = [seen.source.get(worker), seen.target.get(worker)];
        const ends = [source, target].filter((end) => end !== undefined);
        const patience = ends.some(({ wait }) => PATIENT.has(wait ?? "")) ? PATIENCE : 1;
        const forMs = now - Math.max(...ends.map(({ since }) => since));
        if (forMs < limitMs * patience) continue;
        // who waits for the other is not the one that stands still
        if (target && (!source || target.wait !== "Client")) return still("target", target, forMs);
        if (source) return still("source", source, forMs);
      }
      return undefined;
    },
  };
}

function still(side: Side, { pid, query }: Seen, forMs: number): PgdittoError {
  return new PgdittoError("copy", `Nothing of a copy has moved for ${formatDuration(forMs)}, although both servers answer.`, {
    side,
    sqlstate: "ETIMEDOUT",
    task: "copy",
    object: /COPY (.*?) \(/.exec(query)?.[1],
    detail: `Backend ${pid} on the ${side}: ${query}`,
    hint: `The live target is as it was. Is that process stopped, or was its connection cut on the way? End it (SELECT pg_terminate_backend(${pid})) and run again; --stall-timeout sets the limit.`,
  });
}
