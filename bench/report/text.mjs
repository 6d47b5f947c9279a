import { COLUMNS, remarkOf } from "./columns.mjs";

/** A table for the terminal. */
export function textTable(title, rows) {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const head = "".padEnd(width) + COLUMNS.map(({ title }) => title.padStart(widthOf(title))).join("");
  const lines = rows.map((row) => {
    const cells = COLUMNS.map(({ title, cell }) => cell(row).padStart(widthOf(title)));
    return `${row.name.padEnd(width)}${cells.join("")}  ${remarkOf(row)}`.trimEnd();
  });
  return ["", title, head, ...lines].join("\n");
}

function widthOf(title) {
  return Math.max(title.length + 2, 9);
}
