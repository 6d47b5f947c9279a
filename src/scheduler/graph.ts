import { PgdittoError } from "../errors.ts";

/** Two nodes whose locks conflict (same key, at least one exclusive) do not run together. */
export interface NodeLock {
  key: string | number;
  exclusive: boolean;
  /** So many hold it at the same time, where it is not exclusive. Default: any number. */
  most?: number;
}

/** What the scheduler knows of a task. */
export interface GraphNode {
  readonly id: string;
  /** Ids of the nodes that must be done before. */
  readonly after: readonly string[];
  /** Any unit, the same for all nodes; bytes to move or to read are a good one. */
  readonly cost: number;
  readonly locks: readonly NodeLock[];
}

export interface Graph<N extends GraphNode> {
  nodes: ReadonlyMap<string, N>;
  followers: ReadonlyMap<string, readonly string[]>;
  /** Cost of the dearest path from the node to the end, itself included: the order of the ready set. */
  priority: ReadonlyMap<string, number>;
}

/** Indexes the nodes and computes critical paths. A cycle or an unknown id is a defect of the plan. */
export function buildGraph<N extends GraphNode>(list: readonly N[]): Graph<N> {
  const nodes = new Map(list.map((node) => [node.id, node]));
  if (nodes.size !== list.length) throw new PgdittoError("internal", "The plan holds two tasks with the same id.");
  const followers = new Map<string, string[]>(list.map((node) => [node.id, []]));
  const waiting = new Map<string, number>();
  for (const node of list) {
    const after = new Set(node.after);
    waiting.set(node.id, after.size);
    for (const id of after) {
      const before = followers.get(id);
      if (!before) throw new PgdittoError("internal", `Task ${node.id} waits for ${id}, which is not in the plan.`);
      before.push(node.id);
    }
  }
  const order = list.filter((node) => waiting.get(node.id) === 0).map((node) => node.id);
  for (const id of order) {
    for (const follower of followers.get(id) ?? []) {
      const left = (waiting.get(follower) ?? 0) - 1;
      waiting.set(follower, left);
      if (left === 0) order.push(follower);
    }
  }
  if (order.length !== list.length) {
    const stuck = list.filter((node) => !order.includes(node.id)).map((node) => node.id);
    throw new PgdittoError("internal", `The plan holds a cycle through ${stuck.slice(0, 5).join(", ")}.`);
  }
  const priority = new Map<string, number>();
  for (const id of order.toReversed()) {
    const behind = (followers.get(id) ?? []).map((follower) => priority.get(follower) ?? 0);
    priority.set(id, (nodes.get(id)?.cost ?? 0) + behind.reduce((most, cost) => Math.max(most, cost), 0));
  }
  return { nodes, followers, priority };
}
