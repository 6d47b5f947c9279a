import { importsOf, type SourceFile } from "./sources.ts";

/** docs/architecture.md shows the same table. Lower floors first; what stands on one floor is not imported by its neighbours. */
export const FLOORS: ReadonlyArray<readonly string[]> = [
  ["errors.ts"],
  ["events.ts", "util"],
  ["postgres", "copy", "scheduler", "report"],
  ["catalog", "schema", "config"],
  ["plan"],
  ["tasks", "target", "verify"],
  ["sync", "demo"],
  ["index.ts"],
  ["cli"],
];

/** The folder, or the file, directly below src/. */
export function roomOf(path: string): string {
  return path.split("/")[0] ?? path;
}

function floorOf(path: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)));
}

/** One line for each import that does not point down. */
export function climbingImports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter((target) => roomOf(target) !== roomOf(file.path) && floorOf(target) >= floorOf(file.path))
      .map((target) => `${file.path} (floor ${floorOf(file.path)}) imports ${target} (floor ${floorOf(target)})`),
  );
}

/** The first cycle found, as `a → b → a`; undefined when there is none. */
export function findCycle(files: readonly SourceFile[]): string | undefined {
  const imports = new Map(files.map((file) => [file.path, importsOf(file)]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(" → ");
    if (done.has(path)) return undefined;
    for (const target of imports.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of imports.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
