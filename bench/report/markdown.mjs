import { COLUMNS, remarkOf } from "./columns.mjs";

/** The same table for README.md; the data are named in the first row only. */
export function markdownTable(title, rows) {
  const lines = rows.map((row, i) => {
    const remark = remarkOf(row);
    const name = `\`${row.name.replaceAll("|", "\\|")}\`${remark === "" ? "" : `; ${remark}`}`;
    return tableRow([i === 0 ? title : "", name, ...COLUMNS.map(({ cell }) => cell(row))]);
  });
  return [
    "",
    tableRow(["data", "command", ...COLUMNS.map(({ title }) => title)]),
    tableRow(Array(COLUMNS.length + 2).fill("---")),
    ...lines,
  ].join("\n");
}

/** A growth curve: contenders down, sizes across, time per unit in the cells. */
export function markdownGrowth(title, { points, rows }) {
  const lines = rows.map(({ name, cells }) => tableRow([`\`${name.replaceAll("|", "\\|")}\``, ...cells]));
  return ["", tableRow([title, ...points]), tableRow(Array(points.length + 1).fill("---")), ...lines].join("\n");
}

function tableRow(cells) {
  return `| ${cells.join(" | ")} |`;
}
