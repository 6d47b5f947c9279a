/** The columns of both kinds of tables. A number that was not measured is an empty cell. */
export const COLUMNS = [
  { title: "median s", cell: ({ median }) => fixed(median, 2) },
  { title: "min", cell: ({ min }) => fixed(min, 2) },
  { title: "max", cell: ({ max }) => fixed(max, 2) },
  { title: "pgditto ÷ it", cell: ({ ratio }) => fixed(ratio, 2) },
  { title: "CPU s: client", cell: ({ client }) => fixed(client, 1) },
  { title: "source", cell: ({ source }) => fixed(source, 1) },
  { title: "target", cell: ({ target }) => fixed(target, 1) },
  { title: "peak MiB", cell: ({ peak }) => fixed(peak, 0) },
];

/** What is to be said of a row beside its numbers. */
export function remarkOf({ failures, runs, figures }) {
  const own = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  return [...(failures > 0 ? [`FAILED ${failures} of ${runs}`] : []), ...own].join(", ");
}

export function fixed(number, digits) {
  return Number.isFinite(number) ? number.toFixed(digits) : "";
}
