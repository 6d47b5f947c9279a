import { expect } from "vitest";

import type { GraphNode, NodeLock } from "../../src/scheduler/graph.ts";
import { runGraph } from "../../src/scheduler/run-graph.ts";
import { type Deferred, deferred, turn } from "./deferred.ts";

export interface Step extends GraphNode {
  cost: number;
}

export function node(id: string, options: { after?: readonly string[]; cost?: number; locks?: readonly NodeLock[] } = {}): Step {
  return { id, after: options.after ?? [], cost: options.cost ?? 1, locks: options.locks ?? [] };
}

/** Runs a graph whose tasks end when the test says so. */
export function controlled(nodes: readonly Step[], slots: number, signal = new AbortController().signal) {
  const running = new Map<string, Deferred<void>>();
  const started: string[] = [];
  const signals = new Map<string, AbortSignal>();
  const slotOf = new Map<string, number>();
  const waited = new Map<string, number>();
  const done = runGraph({
    nodes,
    slots: Array.from({ length: slots }, (_, i) => i),
    signal,
    run: (task, slot, own, waitedMs) => {
      waited.set(task.id, waitedMs);
      expect([...running.keys()].map((id) => slotOf.get(id))).not.toContain(slot);
      const work = deferred<void>();
      running.set(task.id, work);
      slotOf.set(task.id, slot);
      signals.set(task.id, own);
      started.push(task.id);
      return work.promise.finally(() => running.delete(task.id));
    },
  });
  done.catch(() => undefined);
  return {
    done,
    started,
    signals,
    waited,
    running: () => [...running.keys()],
    finish: async (id: string) => {
      running.get(id)?.resolve();
      await turn();
    },
    fail: async (id: string, error: Error) => {
      running.get(id)?.reject(error);
      await turn();
    },
  };
}

export const exclusive = (key: string): NodeLock => ({ key, exclusive: true });
export const shared = (key: string): NodeLock => ({ key, exclusive: false });
