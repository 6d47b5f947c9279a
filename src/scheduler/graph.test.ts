import { describe, expect, test } from "vitest";

import { buildGraph, type GraphNode } from "./graph.ts";

function node(id: string, after: readonly string[] = [], cost = 1): GraphNode {
  return { id, after, cost, locks: [] };
}

describe("buildGraph", () => {
  test("a node's priority is the cost of the dearest path from it to the end", () => {
    const graph = buildGraph([
      node("start", [], 1),
      node("big copy", ["start"], 100),
      node("small copy", ["start"], 2),
      node("index", ["small copy"], 3),
      node("key", ["big copy", "index"], 10),
      node("free", [], 50),
    ]);
    expect(Object.fromEntries(graph.priority)).toEqual({
      start: 111,
      "big copy": 110,
      "small copy": 15,
      index: 13,
      key: 10,
      free: 50,
    });
    expect(graph.followers.get("start")).toEqual(["big copy", "small copy"]);
  });

  test("an id that is named twice is waited for once", () => {
    const graph = buildGraph([node("a"), node("b", ["a", "a"])]);
    expect(graph.followers.get("a")).toEqual(["b"]);
    expect(graph.priority.get("a")).toBe(2);
  });

  test("nothing to do", () => {
    expect(buildGraph([]).nodes.size).toBe(0);
  });

  test.each([
    ["two of the same id", [node("a"), node("a")], "two tasks with the same id"],
    ["an id that is not there", [node("a", ["ghost"])], "Task a waits for ghost"],
    ["a task that waits for itself", [node("a", ["a"])], "cycle through a"],
    ["a cycle behind others", [node("a"), node("b", ["a", "d"]), node("c", ["b"]), node("d", ["c"])], "cycle through b, c, d"],
  ])("%s is a defect of the plan", (_what, nodes, message) => {
    expect(() => buildGraph(nodes)).toThrow(message);
    expect(() => buildGraph(nodes)).toThrow(expect.objectContaining({ code: "internal" }));
  });

  test("100,000 nodes in a row do not overflow the stack", () => {
    const row = Array.from({ length: 100_000 }, (_, i) => node(`n${i}`, i === 0 ? [] : [`n${i - 1}`]));
    expect(buildGraph(row).priority.get("n0")).toBe(100_000);
  });
});
