import type { ErrorSummary, PhaseNumber, SyncEventBody } from "../../events.ts";
import type { Plan } from "../../plan/build-plan.ts";
import type { Copy, Task } from "../../plan/task.ts";
import { displayName } from "../../postgres/quote.ts";
import type { TaskResult } from "../../tasks/context.ts";
import type { Run } from "../run.ts";

/** At most this often a task tells of its progress, in milliseconds. */
const PROGRESS_MS = 250;

export const PHASES: Readonly<Record<PhaseNumber, string>> = {
  1: "Schema Synchronization",
  2: "Data Copy",
  3: "Indexes, Constraints and the Rest",
  4: "Validation",
};

type TaskDone = Extract<SyncEventBody, { type: "task:done" }>;

interface TaskEvents {
  started: (task: Task, facts: { worker: number; waitedMs: number }) => void;
  progress: (task: Task, moved: { bytes: number; rows: number }) => void;
  retry: (task: Task, retry: { attempt: number; attempts: number; delayMs: number; error: ErrorSummary }) => void;
  /** @param copied What each COPY has moved, by its id. */
  done: (
    task: Task,
    result: TaskResult,
    facts: Pick<TaskDone, "ms" | "worker" | "attempts" | "backends">,
    copied: ReadonlyMap<string, TaskResult & { ms: number }>,
  ) => void;
  failed: (task: Task, error: ErrorSummary) => void;
}

/**
 * Tells of tasks, of each table's COPY although small ones share a task, and of the phases that people think in: phase 2 begins with the first copy, phase 3 when the last one is in, although
 * indexes of finished tables were being built before.
 * @param phases Whether these are told of.
 */
export function taskEvents(run: Run, plan: Plan, phases = true): TaskEvents {
  const names = new Map(plan.tables.map((table) => [table.oid, displayName(table.schema, table.name)]));
  const parts = new Map<number, number>();
  for (const { table } of plan.copies) parts.set(table.root, (parts.get(table.root) ?? 0) + 1);
  const pending = new Map<string, { bytes: number; rows: number; at: number }>();
  let copiesLeft = plan.tasks.filter(isData).length;
  let inPhase2 = !phases;
  let inPhase3 = !phases;

  const enterPhase2 = (): void => {
    if (inPhase2) return;
    inPhase2 = true;
    run.emit({ type: "phase:started", phase: 2, of: 4, name: PHASES[2] });
  };
  const enterPhase3 = (): void => {
    if (inPhase3 || copiesLeft > 0) return;
    inPhase3 = true;
    run.emit({ type: "phase:started", phase: 3, of: 4, name: PHASES[3] });
  };
  /** A partition is told of under its partitioned table, a range of blocks under its table. */
  const belonging = ({ table }: Copy): { group: string | undefined; parts: number } => {
    const of = parts.get(table.root) ?? 1;
    return of === 1 && table.root === table.oid ? { group: undefined, parts: 1 } : { group: names.get(table.root), parts: of };
  };
  const alone = { group: undefined, parts: 1 };

  return {
    started: (task, facts) => {
      if (isData(task)) enterPhase2();
      const on = { worker: facts.worker, waitedMs: Math.round(facts.waitedMs) };
      if (task.kind === "copy") {
        const batch = task.copies.length > 1 ? task.id : undefined;
        for (const copy of task.copies) {
          const { id, object, bytes, format, range } = copy;
          const detail = range ? `${format}, range ${range.number} of ${range.of}` : format;
          const facts = { ...belonging(copy), bytes, expectedRows: expectedRows(copy), detail, batch };
          run.emit({ type: "task:started", id, kind: task.kind, object, ...facts, ...on });
        }
        return;
      }
      const { id, kind, object } = task;
      const { bytes, detail } = "dump" in task ? task.dump : { bytes: 0, detail: task.kind === "sql" ? task.step.stage : "" };
      run.emit({ type: "task:started", id, kind, object, ...alone, bytes, detail, ...on });
    },
    progress: (task, { bytes, rows }) => {
      if (task.kind === "copy" && task.copies.length > 1) return;
      const now = performance.now();
      const last = pending.get(task.id) ?? { bytes: 0, rows: 0, at: now };
      const sum = { bytes: last.bytes + bytes, rows: last.rows + rows };
      const due = now - last.at >= PROGRESS_MS;
      pending.set(task.id, due ? { bytes: 0, rows: 0, at: now } : { ...sum, at: last.at });
      if (due) run.emit({ type: "task:progress", id: task.id, ...sum });
    },
    retry: (task, retry) => {
      // another attempt begins from nothing
      pending.delete(task.id);
      run.emit({ type: "task:retry", id: task.id, kind: task.kind, object: task.object, ...retry });
    },
    done: (task, result, facts, copied) => {
      pending.delete(task.id);
      if (task.kind === "copy") {
        for (const copy of task.copies) {
          const { id, object } = copy;
          const moved = copied.get(id) ?? { rows: 0, bytes: 0, ms: facts.ms };
          run.emit({ type: "task:done", id, kind: task.kind, object, ...belonging(copy), ...facts, ...moved, ms: Math.round(moved.ms) });
        }
      } else {
        const { id, kind, object } = task;
        run.emit({ type: "task:done", id, kind, object, ...alone, ...result, ...facts, ms: Math.round(facts.ms) });
      }
      if (task.id === "pre-data") enterPhase2();
      if (isData(task)) copiesLeft -= 1;
      if (isData(task) || task.id === "pre-data") enterPhase3();
    },
    failed: (task, error) => run.emit({ type: "task:failed", id: task.id, kind: task.kind, object: task.object, error }),
  };
}

/** The planner's estimate, of a range its share; undefined where the table was never analyzed. */
function expectedRows({ table, range }: Copy): number | undefined {
  return table.rowEstimate > 0 ? Math.round(table.rowEstimate / (range?.of ?? 1)) : undefined;
}

function isData(task: Task): boolean {
  return task.kind === "copy" || task.kind === "large-objects";
}
