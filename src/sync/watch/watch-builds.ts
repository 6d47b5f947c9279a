import type { SyncEventBody, TaskKind } from "../../events.ts";
import type { Task } from "../../plan/task.ts";
import type { Session } from "../../postgres/session.ts";
import type { Run } from "../run.ts";
import { type GiveUp, repeat } from "./repeat.ts";

/** Milliseconds between two looks. */
const EVERY_MS = 1000;

/** Tasks that build indexes; the server tells nothing of a foreign key that is checked. */
const BUILDS: ReadonlySet<TaskKind> = new Set(["index", "constraint", "small-builds"]);

export interface BuildWatch extends Disposable {
  /** @param pid Of its session on the target, as soon as there is one. */
  started: (task: Pick<Task, "id" | "kind">, pid: () => number | undefined) => void;
  ended: (task: Pick<Task, "id">) => void;
}

interface Row {
  pid: number;
  phase: string;
  blocksDone: number;
  blocksTotal: number;
  rowsDone: number;
  rowsTotal: number;
}

/** A role sees its own sessions' progress without any privilege; the view is the same from PostgreSQL 12 to 18. */
const PROGRESS = `
  SELECT pid, COALESCE(phase, '') AS phase,
    COALESCE(blocks_done, 0)::pg_catalog.float8 AS "blocksDone", COALESCE(blocks_total, 0)::pg_catalog.float8 AS "blocksTotal",
    COALESCE(tuples_done, 0)::pg_catalog.float8 AS "rowsDone", COALESCE(tuples_total, 0)::pg_catalog.float8 AS "rowsTotal"
  FROM pg_catalog.pg_stat_progress_create_index WHERE pid = ANY ($1::pg_catalog.int4[])`;

type Progress = Omit<Extract<SyncEventBody, { type: "build:progress" }>, "type" | "id">;

/**
 * Tells how far indexes are, over a session that is idle meanwhile. A question that fails is no reason to end a run: others watch
 * whether the server answers. @param everyMs Milliseconds between two looks. Default one second.
 */
export function watchBuilds(run: Pick<Run, "emit">, session: Session, giveUp: GiveUp, everyMs = EVERY_MS): BuildWatch {
  const building = new Map<string, { pid: () => number | undefined; told: string }>();
  const look = async (): Promise<void> => {
    const pids = [...building.values()].flatMap(({ pid }) => pid() ?? []);
    if (pids.length === 0 || !session.alive) return;
    const found = await session.query<Row>(PROGRESS, [pids]).catch(() => []);
    const rows = new Map(found.map((row) => [row.pid, row]));
    for (const [id, build] of building) {
      const row = rows.get(build.pid() ?? 0);
      if (!row || row.phase === "") continue;
      const progress = progressOf(row);
      const told = JSON.stringify(progress);
      if (told === build.told) continue;
      build.told = told;
      run.emit({ type: "build:progress", id, ...progress });
    }
  };
  const stop = repeat(async () => {
    if (building.size > 0) await look();
    return everyMs;
  }, giveUp);
  return {
    started: ({ id, kind }, pid) => {
      if (BUILDS.has(kind)) building.set(id, { pid, told: "" });
    },
    ended: ({ id }) => void building.delete(id),
    [Symbol.dispose]: stop,
  };
}

/** The server counts blocks while the table is read, and rows when they go into the index. While it sorts it counts nothing, and still shows the blocks that were read. */
function progressOf({ phase, ...counted }: Row): Progress {
  const { blocksDone, blocksTotal, rowsDone, rowsTotal } = counted;
  if (phase.includes("sorting")) return { phase, done: 0, total: 0, unit: "rows" };
  if (blocksTotal > 0) return { phase, done: Math.min(blocksDone, blocksTotal), total: blocksTotal, unit: "blocks" };
  return { phase, done: Math.min(rowsDone, rowsTotal), total: rowsTotal, unit: "rows" };
}
