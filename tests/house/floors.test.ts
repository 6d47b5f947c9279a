import { describe, expect, test } from "vitest";

import { climbingImports, findCycle, FLOORS, roomOf } from "./floors.ts";
import { importsOf, readSources, specifiersOf } from "./sources.ts";

const files = readSources("src");

describe("the floors", () => {
  test("every file stands on one", () => {
    const rooms = FLOORS.flat();
    expect(new Set(rooms).size).toBe(rooms.length);
    expect([...new Set(files.map((file) => roomOf(file.path)))].filter((room) => !rooms.includes(room))).toEqual([]);
  });

  test("every relative import names a file that exists", () => {
    const paths = new Set(files.map((file) => file.path));
    const edges = files.flatMap((file) => importsOf(file).map((target) => ({ from: file.path, target })));
    expect(edges.filter(({ target }) => !paths.has(target))).toEqual([]);
    // the scan sees something
    expect(edges.length).toBeGreaterThan(300);
  });

  test("imports point down, types included", () => {
    expect(climbingImports(files)).toEqual([]);
  });

  test("there is no cycle, types included", () => {
    expect(findCycle(files)).toBeUndefined();
  });
});

describe("the test of the floors", () => {
  test.each([
    ['import { a } from "../sync/run.ts";', true],
    ['import type { A } from "../tasks/context.ts";', true],
    ['import {\n  type A,\n  b,\n} from "../config/options.ts";', false],
    ['export { a } from "../cli/main.ts";', true],
    ['export type { A } from "../postgres/session.ts";', false],
    ['export * from "../index.ts";', true],
    ['import "../verify/compare.ts";', true],
    ['type A = import("../target/swap.ts").Rename;', true],
    ['const a = await import("../demo/shop.ts");', true],
    ['new Worker(new URL("../sync/worker.ts", import.meta.url));', true],
    ['// import { a } from "../sync/run.ts";', false],
    ['/**\n * import { a } from "../sync/run.ts";\n */', false],
    ['import { join } from "node:path";', false],
  ])("%j climbs: %j", (text, climbs) => {
    expect(climbingImports([{ path: "plan/x.ts", text }])).toHaveLength(climbs ? 1 : 0);
  });

  test("neighbours on one floor do not import each other", () => {
    expect(climbingImports([{ path: "tasks/a.ts", text: 'import { b } from "../target/b.ts";' }])).toHaveLength(1);
    expect(climbingImports([{ path: "tasks/a.ts", text: 'import { b } from "./b.ts";' }])).toEqual([]);
  });

  test("a cycle of types is found", () => {
    const cycle = [
      { path: "a.ts", text: 'import type { B } from "./b.ts";' },
      { path: "b.ts", text: 'export { c } from "./c.ts";' },
      { path: "c.ts", text: 'import { a } from "./a.ts";' },
    ];
    expect(findCycle(cycle)).toBe("a.ts → b.ts → c.ts → a.ts");
    expect(findCycle(cycle.slice(0, 2))).toBeUndefined();
  });

  test("several imports in one text", () => {
    const text = 'import a from "x";\nimport type { B } from "./b.ts";\n\nconst c = "from \\"./c.ts\\"";\nexport { d } from "./d.ts";\n';
    expect(specifiersOf(text)).toEqual(["x", "./b.ts", "./d.ts"]);
  });
});
