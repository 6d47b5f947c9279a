import type { Difference, Obstacle } from "../errors.ts";
import type { ErrorSummary } from "../events.ts";
import { alignColumns, type Paint, printable, RULE } from "./style.ts";

/** The original's `ERROR DETAILS` block: what, on which side, SQLSTATE, message, hint. */
export function errorDetails(
  failure: { error: ErrorSummary; exitCode: number; obstacles?: readonly Obstacle[]; differences?: readonly Difference[] },
  paint: Paint,
): string[] {
  const { error } = failure;
  const side = error.side === "source" ? "source (MAIN)" : error.side === "target" ? "target (ARCHIVE)" : undefined;
  const facts: Array<[string, string | undefined]> = [
    ["What", [error.task, error.object].filter((part) => part !== undefined).join(": ") || error.code],
    ["Side", side],
    ["SQLSTATE", error.sqlstate],
    ["Message", error.message],
    ["Detail", error.detail],
    ["Hint", error.hint],
    ["Exit code", String(failure.exitCode)],
  ];
  const lines = facts.flatMap(([name, value]) => {
    if (value === undefined || value === "") return [];
    const [first = "", ...more] = value.split("\n").map(printable);
    return [`  ${name.padEnd(9)} : ${first}`, ...more.map((line) => `              ${line}`)];
  });
  return [
    "",
    paint("red", RULE),
    paint("red", "ERROR DETAILS"),
    paint("red", RULE),
    ...lines,
    ...obstacleLines(failure.obstacles ?? [], paint),
    ...differenceLines(failure.differences ?? [], paint),
    paint("red", RULE),
  ];
}

/** Each obstacle with its fix. */
export function obstacleLines(obstacles: readonly Obstacle[], paint: Paint): string[] {
  return obstacles.flatMap((obstacle, i) => [
    `  ${paint("red", `${i + 1}.`)} [${obstacle.side}] ${printable(obstacle.message)}`,
    `     Fix: ${printable(obstacle.fix)}`,
  ]);
}

/** Rows that people are shown; one defect may change millions. */
const ROWS_SHOWN = 20;

/** A table of what differs; of very many, the first `limit`, and 20 rows at the most. */
export function differenceLines(differences: readonly Difference[], paint: Paint, limit = 100): string[] {
  if (differences.length === 0) return [];
  let rowsLeft = ROWS_SHOWN;
  const isShown = ({ kind }: Difference): boolean => kind !== "row" || rowsLeft-- > 0;
  const shown = differences.filter(isShown).slice(0, limit);
  const rows = shown.map(({ kind, object, source, target }) => [kind, object, source, target].map(printable));
  const [head = "", ...body] = alignColumns([["WHAT", "OBJECT", "SOURCE", "TARGET"], ...rows]);
  const more = differences.length > shown.length ? [`  … and ${differences.length - shown.length} more (--json lists them)`] : [];
  return ["", `  ${paint("bold", head)}`, ...body.map((line) => `  ${line}`), ...more];
}
