import { fixed } from "./columns.mjs";

/** The curve of a growth set: for each contender the median time per table or GB at each point. The line stays level where time grows with size. */
export function growthOf(set, reports) {
  const names = [...new Set(reports.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  return {
    points: reports.map(({ point }) => String(point)),
    rows: names.map((name) => ({
      name,
      cells: reports.map(({ rows, point }) => {
        const row = rows.find((candidate) => candidate.name === name);
        return fixed(((row?.median ?? Number.NaN) * set.unit.seconds) / point, 2);
      }),
    })),
  };
}

export function growthTitle(set) {
  return `${set.name}: ${set.unit.in} per ${set.unit.name}`;
}

/** The curve for the terminal. */
export function textGrowth(title, { points, rows }) {
  const width = Math.max(title.length, ...rows.map(({ name }) => name.length));
  const line = (name, cells) => name.padEnd(width) + cells.map((cell) => cell.padStart(10)).join("");
  return ["", line(title, points), ...rows.map(({ name, cells }) => line(name, cells))].join("\n");
}
