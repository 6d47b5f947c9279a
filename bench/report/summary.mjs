import { median } from "../measure/statistics.mjs";

/** One row for each contender: medians over the runs that succeeded, and how many did not. */
export function summarize(results) {
  const rows = [...results].map(([{ name, kind, pgditto }, list]) => {
    const good = list.filter(({ failed }) => failed === undefined);
    const seconds = good.map((result) => result.seconds);
    return {
      name,
      kind,
      pgditto,
      failures: list.length - good.length,
      runs: list.length,
      median: median(seconds),
      min: Math.min(...seconds),
      max: Math.max(...seconds),
      client: median(good.map(({ cpu }) => cpu.client)),
      source: median(good.map(({ cpu }) => cpu.source)),
      target: median(good.map(({ cpu }) => cpu.target)),
      peak: Math.max(...good.map(({ peak }) => peak ?? Number.NaN)),
      figures: figuresOf(good),
    };
  });
  return rows.map((row) => ({ ...row, ratio: ratioOf(row, rows) }));
}

/** pgditto's time by the contender's own; below 1, pgditto was faster. A row of its own kind is what a contender is compared with. */
function ratioOf(row, rows) {
  const reference = rows.find(({ kind, name }) => kind === row.kind && (name === "pgditto" || name === "rows only: pgditto's relay"));
  return row === reference || reference === undefined ? Number.NaN : reference.median / row.median;
}

/** Medians of what the program measured by itself. */
function figuresOf(good) {
  const names = new Set(good.flatMap(({ figures }) => Object.keys(figures)));
  return Object.fromEntries([...names].map((name) => [name, median(good.map(({ figures }) => figures[name]))]));
}
