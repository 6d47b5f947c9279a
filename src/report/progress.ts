import type { Stage, SyncEvent, TaskKind } from "../events.ts";
import { type DataProgress, dataProgress, type DataView } from "./progress-data.ts";
import { runningTask, type RunningTask, type RunningView } from "./progress-task.ts";

/** How far a run is, as far as its events tell. */
export interface ProgressView {
  /** The run's own steps under way, but for that of the tasks; milliseconds. */
  stages: ReadonlyArray<{ stage: Stage; ms: number }>;
  /** Tasks at work, the oldest first. */
  running: readonly RunningView[];
  /** What moves rows, of all tables together: one for each kind of task that does. */
  data: readonly DataView[];
  /** Undefined before and after tasks. */
  tasks: { done: number; total: number; ms: number } | undefined;
}

export interface Progress {
  event: (event: SyncEvent) => void;
  /** @param at As of this moment: milliseconds, as in the events' `at`. */
  view: (at: number) => ProgressView;
}

/**
 * What a run is at, and how far, kept up by its events. Costs the same for each of them, however many tasks there are; kinds of task that it does not know
 * are told of like any other.
 */
export function trackProgress(): Progress {
  const stages = new Map<Stage, number>();
  const running = new Map<string, RunningTask>();
  /** Of a table in a batch: the task it shares with others. */
  const batches = new Map<string, string>();
  let data = new Map<TaskKind, DataProgress>();
  let planned = 0;
  let tasks: { done: number; total: number; since: number } | undefined;

  const taskOf = (id: string): RunningTask | undefined => running.get(batches.get(id) ?? id);
  /** Small tables are one task, which ends with the last of them. */
  const ended = (id: string): void => {
    const key = batches.get(id) ?? id;
    batches.delete(id);
    if (running.get(key)?.ended() !== true) return;
    running.delete(key);
    if (tasks) tasks.done += 1;
  };
  const over = (): void => {
    running.clear();
    batches.clear();
    tasks = undefined;
  };
  const underWay = (kind: TaskKind, at: number): { at: number; partly: number } => {
    let partly = 0;
    for (const task of running.values()) if (task.kind === kind) partly += task.partly();
    return { at, partly };
  };

  return {
    event: (event) => {
      switch (event.type) {
        case "plan:ready":
          // a run that starts over has another plan
          data = new Map();
          planned = event.bytes;
          break;
        case "stage:started":
          if (event.stage !== "tasks") stages.set(event.stage, event.at);
          else tasks = { done: 0, total: event.tasks ?? 0, since: event.at };
          break;
        case "stage:done":
          stages.delete(event.stage);
          if (event.stage === "tasks") over();
          break;
        case "task:started": {
          const key = event.batch ?? event.id;
          const task = running.get(key);
          if (task) task.joined(event);
          else running.set(key, runningTask(event));
          if (event.batch !== undefined) batches.set(event.id, event.batch);
          if (event.bytes > 0 && planned > 0 && !data.has(event.kind)) data.set(event.kind, dataProgress(event.kind, planned, event.at));
          break;
        }
        case "task:progress": {
          const task = taskOf(event.id);
          if (!task) break;
          task.moved(event);
          data.get(task.kind)?.moved(event.bytes, underWay(task.kind, event.at));
          break;
        }
        case "build:progress":
          taskOf(event.id)?.building(event);
          break;
        case "task:retry":
          taskOf(event.id)?.again(event.attempt);
          break;
        case "task:done": {
          const task = taskOf(event.id);
          if (!task) break;
          ended(event.id);
          const moved = Math.max(0, event.bytes - task.told());
          data.get(event.kind)?.done(task.weightOf(event.id), moved, underWay(event.kind, event.at));
          break;
        }
        case "task:failed":
          running.delete(event.id);
          break;
        case "run:done":
        case "run:failed":
          stages.clear();
          over();
          break;
        default: // others say nothing of how far it is
      }
    },
    view: (at) => ({
      stages: [...stages].map(([stage, since]) => ({ stage, ms: Math.max(0, at - since) })),
      running: [...running.values()].map((task) => task.view(at)),
      data: tasks ? [...data].map(([kind, one]) => one.view(underWay(kind, at))) : [],
      tasks: tasks && { done: tasks.done, total: tasks.total, ms: Math.max(0, at - tasks.since) },
    }),
  };
}
