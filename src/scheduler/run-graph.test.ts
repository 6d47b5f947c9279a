import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";

import { type Deferred, deferred, turn } from "../../tests/house/deferred.ts";
import { seededRandom } from "../../tests/house/random.ts";
import type { GraphNode, NodeLock } from "./graph.ts";
import { runGraph } from "./run-graph.ts";

interface Step extends GraphNode {
  cost: number;
}

function node(id: string, options: { after?: readonly string[]; cost?: number; locks?: readonly NodeLock[] } = {}): Step {
  return { id, after: options.after ?? [], cost: options.cost ?? 1, locks: options.locks ?? [] };
}

/** Runs a graph whose tasks end when the test says so. */
function controlled(nodes: readonly Step[], slots: number, signal = new AbortController().signal) {
  const running = new Map<string, Deferred<void>>();
  const started: string[] = [];
  const signals = new Map<string, AbortSignal>();
  const slotOf = new Map<string, number>();
  const done = runGraph({
    nodes,
    slots: Array.from({ length: slots }, (_, i) => i),
    signal,
    run: (task, slot, own) => {
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

const exclusive = (key: string): NodeLock => ({ key, exclusive: true });
const shared = (key: string): NodeLock => ({ key, exclusive: false });

describe("runGraph", () => {
  test("starts what is on the dearest path first, not what is dearest itself", async () => {
    const run = controlled(
      [node("cheap", { cost: 2 }), node("dear", { cost: 5 }), node("opens", { cost: 1 }), node("last", { after: ["opens"], cost: 9 })],
      1,
    );
    for (const id of ["opens", "last", "dear", "cheap"]) {
      expect(run.running()).toEqual([id]);
      await run.finish(id);
    }
    await run.done;
  });

  test("never uses more slots than there are, and fills one as soon as it is free", async () => {
    const run = controlled([node("a", { cost: 3 }), node("b", { cost: 2 }), node("c", { cost: 1 })], 2);
    expect(run.running()).toEqual(["a", "b"]);
    await run.finish("b");
    expect(run.running()).toEqual(["a", "c"]);
    await run.finish("a");
    await run.finish("c");
    await run.done;
  });

  test.each([
    [[exclusive("t")], [exclusive("t")], false],
    [[exclusive("t")], [shared("t")], false],
    [[shared("t")], [exclusive("t")], false],
    [[shared("t")], [shared("t")], true],
    [[exclusive("t")], [exclusive("u")], true],
    [[shared("u"), exclusive("t")], [shared("u"), shared("t")], false],
  ])("locks %j and %j run together: %j", async (first, second, together) => {
    const run = controlled([node("first", { cost: 2, locks: first }), node("second", { locks: second })], 2);
    expect(run.running()).toEqual(together ? ["first", "second"] : ["first"]);
    await run.finish("first");
    expect(run.running()).toEqual(["second"]);
    await run.finish("second");
    await run.done;
  });

  test("one that is locked out does not hold up the others behind it", async () => {
    const run = controlled(
      [
        node("holder", { cost: 9, locks: [exclusive("t")] }),
        node("waits", { cost: 8, locks: [exclusive("t")] }),
        node("free", { cost: 1 }),
      ],
      2,
    );
    expect(run.running()).toEqual(["holder", "free"]);
    await run.finish("free");
    expect(run.running()).toEqual(["holder"]);
    await run.finish("holder");
    expect(run.running()).toEqual(["waits"]);
    await run.finish("waits");
    await run.done;
  });

  test("two shared holders: the exclusive one waits for both", async () => {
    const nodes = [
      node("r1", { cost: 9, locks: [shared("t")] }),
      node("r2", { cost: 8, locks: [shared("t")] }),
      node("w", { locks: [exclusive("t")] }),
    ];
    const run = controlled(nodes, 3);
    await run.finish("r1");
    expect(run.running()).toEqual(["r2"]);
    await run.finish("r2");
    expect(run.running()).toEqual(["w"]);
    await run.finish("w");
    await run.done;
  });

  test("an empty graph ends at once", async () => {
    await controlled([], 3).done;
  });
});

describe("runGraph, when a task fails", () => {
  test("aborts the others, starts nothing more, waits for them, and throws the first cause", async () => {
    const run = controlled([node("a", { cost: 3 }), node("b", { cost: 2 }), node("c", { cost: 1 }), node("d", { after: ["a"] })], 2);
    let settled = false;
    run.done.catch(() => (settled = true));
    const cause = new Error("a broke");
    await run.fail("a", cause);
    expect(run.signals.get("b")?.aborted).toBe(true);
    expect(run.signals.get("b")?.reason).toBe(cause);
    expect(settled).toBe(false);
    await run.fail("b", new Error("b was aborted"));
    await expect(run.done).rejects.toBe(cause);
    expect(run.started).toEqual(["a", "b"]);
  });

  test("also when the others end well", async () => {
    const run = controlled([node("a", { cost: 3 }), node("b", { cost: 2 }), node("after b", { after: ["b"] })], 2);
    await run.fail("a", new Error("a broke"));
    await run.finish("b");
    await expect(run.done).rejects.toThrow("a broke");
    expect(run.started).not.toContain("after b");
  });

  test("what is thrown need not be an error", async () => {
    const nodes = [node("a")];
    const done = runGraph({ nodes, slots: [1], signal: new AbortController().signal, run: () => Promise.reject(undefined) });
    await expect(done).rejects.toBeUndefined();
  });
});

describe("runGraph, when it is cancelled", () => {
  test("the tasks hear of it, and its reason is thrown", async () => {
    const controller = new AbortController();
    const run = controlled([node("a"), node("b", { after: ["a"] })], 1, controller.signal);
    const reason = new Error("Ctrl+C");
    controller.abort(reason);
    expect(run.signals.get("a")?.reason).toBe(reason);
    await run.finish("a");
    await expect(run.done).rejects.toBe(reason);
    expect(run.started).toEqual(["a"]);
  });

  test("before it begins: nothing runs", async () => {
    const run = controlled([node("a")], 1, AbortSignal.abort(new Error("too late")));
    await expect(run.done).rejects.toThrow("too late");
    expect(run.started).toEqual([]);
  });

  test("no listener stays on the caller's signal", async () => {
    const controller = new AbortController();
    const run = controlled([node("a")], 1, controller.signal);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    await run.finish("a");
    await run.done;
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });
});

/** Random graphs over few tables, run with tasks that end in random order. */
describe("runGraph on random graphs", () => {
  function randomNodes(seed: number): Step[] {
    const random = seededRandom(seed);
    return Array.from({ length: 1 + random.int(40) }, (_, i) =>
      node(`n${i}`, {
        cost: random.int(100),
        after: Array.from({ length: random.int(4) }, () => `n${random.int(Math.max(1, i))}`).filter((id) => id !== `n${i}`),
        locks: Array.from({ length: random.int(3) }, () =>
          random.pick([exclusive("t"), shared("t"), exclusive("u"), shared("u"), shared("v")]),
        ),
      }),
    );
  }

  function conflict(a: Step, b: Step): boolean {
    return a.locks.some((mine) => b.locks.some((theirs) => mine.key === theirs.key && (mine.exclusive || theirs.exclusive)));
  }

  test("every task runs once, after what it waits for, never beside what it conflicts with; no slot idles without need", async () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      const random = seededRandom(seed * 7919);
      const nodes = randomNodes(seed);
      const byId = new Map(nodes.map((task) => [task.id, task]));
      const slots = 1 + random.int(5);
      const run = controlled(nodes, slots);
      const finished = new Set<string>();
      while (finished.size < nodes.length) {
        await turn();
        const active = run.running().map((id) => byId.get(id) ?? node(id));
        expect(active.length).toBeLessThanOrEqual(slots);
        for (const [i, task] of active.entries()) {
          expect(
            task.after.every((id) => finished.has(id)),
            `seed ${seed}`,
          ).toBe(true);
          for (const other of active.slice(i + 1)) expect(conflict(task, other), `seed ${seed}: ${task.id}, ${other.id}`).toBe(false);
        }
        const couldRun = nodes.filter(
          (task) =>
            !run.started.includes(task.id) && task.after.every((id) => finished.has(id)) && !active.some((other) => conflict(task, other)),
        );
        // a lost wake-up would show here: something could run, a slot is free, and nobody starts it
        expect(active.length === slots || couldRun.length === 0, `seed ${seed}: ${couldRun.map(({ id }) => id).join()}`).toBe(true);
        const [first, ...rest] = run.running();
        if (first === undefined) throw new Error(`seed ${seed} stands still`);
        for (const id of [random.pick([first, ...rest]), ...rest.filter(() => random.chance(0.3))]) {
          finished.add(id);
          void run.finish(id);
        }
      }
      await run.done;
      expect(run.started.toSorted()).toEqual(nodes.map(({ id }) => id).toSorted());
    }
  });

  test("a failure anywhere ends the run with that failure, and nothing is left running", async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seededRandom(seed);
      const nodes = randomNodes(seed);
      const bad = `n${random.int(nodes.length)}`;
      let active = 0;
      const done = runGraph({
        nodes,
        slots: [1, 2, 3],
        signal: new AbortController().signal,
        run: async (task, _slot, signal) => {
          active += 1;
          for (let i = random.int(4); i > 0 && !signal.aborted; i -= 1) await turn();
          active -= 1;
          if (task.id === bad) throw new Error(`${bad} broke`);
          if (signal.aborted) throw new Error("aborted");
        },
      });
      await expect(done, `seed ${seed}`).rejects.toThrow(`${bad} broke`);
      expect(active).toBe(0);
    }
  });
});
