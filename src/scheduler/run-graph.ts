import { setMaxListeners } from "node:events";

import { buildGraph, type GraphNode, type NodeLock } from "./graph.ts";

export interface RunGraphOptions<N extends GraphNode, S> {
  nodes: readonly N[];
  /** One task runs in a slot at a time. */
  slots: readonly S[];
  /** `waitedMs`: how long the node had been ready, waiting for a slot or a lock. */
  run: (node: N, slot: S, signal: AbortSignal, waitedMs: number) => Promise<void>;
  signal: AbortSignal;
}

/**
 * Runs the nodes over the slots, dearest path first. The first failure aborts the signal of all the others, waits for them to
 * end, and is thrown; nothing of ours is still at work when this settles.
 */
export async function runGraph<N extends GraphNode, S>(options: RunGraphOptions<N, S>): Promise<void> {
  const graph = buildGraph(options.nodes);
  const waiting = new Map(options.nodes.map((node) => [node.id, new Set(node.after).size]));
  const byPriority = (a: N, b: N): number => (graph.priority.get(b.id) ?? 0) - (graph.priority.get(a.id) ?? 0);
  const ready = options.nodes.filter((node) => waiting.get(node.id) === 0).toSorted(byPriority);
  const began = performance.now();
  const readySince = new Map(ready.map((node) => [node.id, began]));
  const idle = [...options.slots];
  const held = new Map<string | number, { shared: number; exclusive: boolean }>();
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one and more a slot
  const stop = (): void => controller.abort(options.signal.reason);
  if (options.signal.aborted) stop();
  options.signal.addEventListener("abort", stop, { once: true });

  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  const start = (node: N, slot: S): void => {
    hold(held, node.locks);
    const waitedMs = performance.now() - (readySince.get(node.id) ?? began);
    readySince.delete(node.id);
    const work = options.run(node, slot, controller.signal, waitedMs).then(
      () => {
        for (const id of graph.followers.get(node.id) ?? []) {
          const left = (waiting.get(id) ?? 0) - 1;
          waiting.set(id, left);
          const follower = graph.nodes.get(id);
          if (left > 0 || !follower) continue;
          readySince.set(id, performance.now());
          insert(ready, follower, byPriority);
        }
      },
      (error: unknown) => {
        failure ??= { error };
        controller.abort(error);
      },
    );
    const settled = work.finally(() => {
      release(held, node.locks);
      idle.push(slot);
      running.delete(settled);
    });
    running.add(settled);
  };

  try {
    for (;;) {
      while (!controller.signal.aborted && idle.length > 0) {
        const at = ready.findIndex((node) => isFree(held, node.locks));
        const [node] = at === -1 ? [] : ready.splice(at, 1);
        const slot = node && idle.pop();
        if (!node || slot === undefined) break;
        start(node, slot);
      }
      if (running.size === 0) break;
      await Promise.race(running);
    }
  } finally {
    options.signal.removeEventListener("abort", stop);
  }
  if (failure) throw failure.error;
  if (controller.signal.aborted) throw controller.signal.reason;
}

function insert<N>(list: N[], item: N, order: (a: N, b: N) => number): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle];
    if (other !== undefined && order(other, item) <= 0) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, item);
}

type Held = Map<string | number, { shared: number; exclusive: boolean }>;

function isFree(held: Held, locks: readonly NodeLock[]): boolean {
  return locks.every((lock) => {
    const holder = held.get(lock.key);
    if (!holder) return true;
    return !holder.exclusive && (!lock.exclusive || holder.shared === 0) && holder.shared < (lock.most ?? Number.POSITIVE_INFINITY);
  });
}

function hold(held: Held, locks: readonly NodeLock[]): void {
  for (const { key, exclusive } of locks) {
    const holder = held.get(key) ?? { shared: 0, exclusive: false };
    held.set(key, exclusive ? { ...holder, exclusive: true } : { ...holder, shared: holder.shared + 1 });
  }
}

function release(held: Held, locks: readonly NodeLock[]): void {
  for (const { key, exclusive } of locks) {
    const holder = held.get(key);
    if (!holder) continue;
    const left = exclusive ? { ...holder, exclusive: false } : { ...holder, shared: holder.shared - 1 };
    if (left.shared === 0 && !left.exclusive) held.delete(key);
    else held.set(key, left);
  }
}
