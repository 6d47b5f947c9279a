import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";

import { controlled, exclusive, node, shared } from "../../tests/house/controlled-graph.ts";
import { runGraph } from "./run-graph.ts";

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

  test("says how long each had been ready: for a slot, or for a lock; not the time before what it waits for was done", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const run = controlled(
        [
          node("a", { cost: 9 }),
          node("locked", { cost: 3, locks: [exclusive("t")] }),
          node("b", { after: ["a"], cost: 2, locks: [exclusive("t")] }),
          node("c", { after: ["b"] }),
        ],
        1,
      );
      vi.advanceTimersByTime(100);
      await run.finish("a");
      vi.advanceTimersByTime(30);
      await run.finish("locked");
      vi.advanceTimersByTime(7);
      await run.finish("b");
      await run.finish("c");
      await run.done;
      expect(Object.fromEntries(run.waited)).toEqual({ a: 0, locked: 100, b: 30, c: 0 });
    } finally {
      vi.useRealTimers();
    }
  });

  test("a lock that so many may hold lets no more in", async () => {
    const two = [{ key: "t", exclusive: false, most: 2 }];
    const run = controlled(
      [node("a", { cost: 4, locks: two }), node("b", { cost: 3, locks: two }), node("c", { cost: 2, locks: two }), node("d", { cost: 1 })],
      4,
    );
    expect(run.running()).toEqual(["a", "b", "d"]);
    await run.finish("b");
    expect(run.running()).toEqual(["a", "d", "c"]);
    for (const id of ["a", "c", "d"]) await run.finish(id);
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
