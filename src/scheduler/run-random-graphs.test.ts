import { describe, expect, test } from "vitest";

import { controlled, exclusive, node, shared, type Step } from "../../tests/house/controlled-graph.ts";
import { turn } from "../../tests/house/deferred.ts";
import { seededRandom } from "../../tests/house/random.ts";
import { runGraph } from "./run-graph.ts";

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
