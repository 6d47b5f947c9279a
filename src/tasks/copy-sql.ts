import type { BlockRange, Copy } from "../plan/task.ts";
import { quoteIdent, quoteLiteral, quoteQualified } from "../postgres/quote.ts";

/** The `COPY … TO STDOUT` that reads the rows. Columns are named on both ends, because their order can differ. */
export function copyOutSql(copy: Copy, encoding: string | null): string {
  const { table, range } = copy;
  const name = quoteQualified(table.schema, table.name);
  const select = (from: string, condition = ""): string => `COPY (SELECT ${columns(copy)} FROM ONLY ${from} ${condition}) TO STDOUT`;
  if (table.parts) {
    const selects = table.parts.map((part) => `SELECT ${columns(copy)} FROM ONLY ${quoteQualified(part.schema, part.name)}`);
    return `COPY (${selects.join(" UNION ALL ")}) TO STDOUT ${options(copy, encoding)}`;
  }
  if (range) return `${select(name, rangeCondition(range))} ${options(copy, encoding)}`;
  // an extension's condition begins with WHERE, or with other clauses that may follow the table (manual 38.17.3)
  if (table.extension?.condition) return `${select(name, table.extension.condition)} ${options(copy, encoding)}`;
  return `COPY ${name}${columnList(copy)} TO STDOUT ${options(copy, encoding)}`;
}

/** The `COPY … FROM STDIN` that takes them, in an open transaction. */
export function copyInSql(copy: Copy, encoding: string | null): string {
  const { table } = copy;
  const name = quoteQualified(table.schema, table.name);
  return `${emptySql(copy, name)}COPY ${name}${columnList(copy)} FROM STDIN ${options(copy, encoding, copy.freeze ? ["FREEZE"] : [])}`;
}

function emptySql({ replaces, freeze }: Copy, name: string): string {
  if (replaces === "tree") return `TRUNCATE ${name}; `;
  return replaces === "table" || freeze ? `TRUNCATE ONLY ${name}; ` : "";
}

/** The rows of these blocks. */
export function rangeCondition({ from, to }: Pick<BlockRange, "from" | "to">): string {
  const before = to === undefined ? "" : ` AND ctid < '(${to},0)'::pg_catalog.tid`;
  return `WHERE ctid >= '(${from},0)'::pg_catalog.tid${before}`;
}

function columns(copy: Copy): string {
  return copy.table.columns
    .filter((column) => !column.generated)
    .map((column) => quoteIdent(column.name))
    .join(", ");
}

function columnList(copy: Copy): string {
  const names = columns(copy);
  return names === "" ? "" : ` (${names})`;
}

function options(copy: Copy, encoding: string | null, more: readonly string[] = []): string {
  const list = [`FORMAT ${copy.format}`, ...(encoding === null ? [] : [`ENCODING ${quoteLiteral(encoding)}`]), ...more];
  return `WITH (${list.join(", ")})`;
}
