export type Colour = "yellow" | "green" | "red" | "cyan" | "magenta" | "bold";

const CODES: Readonly<Record<Colour, number>> = { bold: 1, red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 };

/** Paints text for a terminal, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

export function painter(colours: boolean): Paint {
  return colours ? (colour, text) => `\u001B[${CODES[colour]}m${text}\u001B[0m` : (_colour, text) => text;
}

export const RULE = "=".repeat(80);
export const THIN_RULE = "-".repeat(80);

/** Names come from a database: nothing in them may move the cursor or break the line. */
export function printable(text: string): string {
  return text.replaceAll("\n", "\\n").replaceAll(/\p{Cc}/gu, " ");
}

/** Rows of a table, columns padded to their widest cell. */
export function alignColumns(rows: ReadonlyArray<readonly string[]>): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
