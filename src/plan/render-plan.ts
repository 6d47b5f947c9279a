import { displayName } from "../postgres/quote.ts";
import { printable } from "../report/style.ts";
import { formatBytes, formatCount, plural } from "../util/format.ts";
import type { SqlStage } from "../config/sql/stages.ts";
import type { Plan } from "./build-plan.ts";

/** The plan as plain data: what `pgditto plan --json` prints. */
export interface PlanSummary {
  tables: ReadonlyArray<{
    table: string;
    partitionOf: string | undefined;
    bytes: number;
    rowEstimate: number;
    format: "binary" | "text";
    formatReason: string | undefined;
    /** 1: the table goes as a whole; more: so many connections may copy it at a time. */
    ranges: number;
  }>;
  /** Tables whose rows stay behind. */
  leftOut: ReadonlyArray<{ object: string; reason: string }>;
  /** The user's own SQL, in the order it runs. */
  sql: ReadonlyArray<{
    stage: SqlStage;
    /** The file, or `hook after-data`. */
    name: string;
    /** Undefined for a hook. */
    statements: number | undefined;
    /** Whether all of it is one transaction. */
    transaction: boolean;
  }>;
  /** Number of tasks by kind. */
  tasks: Readonly<Record<string, number>>;
  bytes: number;
}

/** @param unselected What becomes of the rows of tables that were not selected. */
export function summarizePlan(plan: Plan, unselected = "rows not selected; its structure is made"): PlanSummary {
  const names = new Map(plan.tables.map((table) => [table.oid, displayName(table.schema, table.name)]));
  const tasks: Record<string, number> = {};
  for (const task of plan.tasks) tasks[task.kind] = (tasks[task.kind] ?? 0) + 1;
  return {
    // dearest first: the order in which they are started
    tables: plan.copies
      .filter(({ range }) => range === undefined || range.number === 1)
      .toSorted((a, b) => b.table.bytes - a.table.bytes)
      .map(({ object, table, format, formatReason, range }) => ({
        table: object,
        partitionOf: table.root === table.oid ? undefined : names.get(table.root),
        bytes: table.bytes,
        rowEstimate: Math.round(table.rowEstimate),
        format,
        formatReason,
        ranges: range?.of ?? 1,
      })),
    leftOut: [
      ...plan.unselected.map((table) => ({
        object: displayName(table.schema, table.name),
        reason: unselected,
      })),
      ...plan.tasks.flatMap((task) =>
        task.kind === "foreign-key" && task.partial
          ? [{ object: task.object, reason: "foreign key into rows that are not selected: NOT VALID where they are missed" }]
          : [],
      ),
      ...plan.skipped.map((entry) => ({ object: `${entry.type} ${entry.name}`, reason: "--skip-extension" })),
    ],
    sql: (plan.steps ?? []).map(({ stage, name, work }) => ({
      stage,
      name,
      statements: "script" in work ? work.script.statements.length : undefined,
      transaction: "script" in work && work.script.transaction,
    })),
    tasks,
    bytes: plan.bytes,
  };
}

/** The plan for people, a line a table. */
export function renderPlan(summary: PlanSummary): string[] {
  const width = summary.tables.reduce((most, table) => Math.max(most, printable(table.table).length), 20) + 2;
  const tables = summary.tables.map((table, i) => {
    const rows = table.rowEstimate > 0 ? `~${formatCount(table.rowEstimate)} rows` : "";
    const notes = [
      table.format === "text" ? `text: ${table.formatReason ?? ""}` : "binary",
      table.ranges > 1 ? `in ${table.ranges} ranges` : "",
      table.partitionOf === undefined ? "" : `partition of ${table.partitionOf}`,
    ];
    return `${String(i + 1).padStart(5)}. ${printable(table.table).padEnd(width)}${formatBytes(table.bytes).padStart(8)}  ${rows.padEnd(18)} ${printable(notes.filter((note) => note !== "").join(", "))}`;
  });
  const kinds = Object.entries(summary.tasks).map(([kind, n]) => `${kind} ${formatCount(n)}`);
  return [
    `${plural(summary.tables.length, "table")}, ${formatBytes(summary.bytes)} of rows, in this order:`,
    ...tables,
    "",
    `Tasks: ${kinds.join(", ")}`,
    ...(summary.sql.length === 0 ? [] : ["Own SQL:", ...summary.sql.map(renderStep)]),
    ...(summary.leftOut.length === 0
      ? ["Left out: nothing"]
      : ["Left out:", ...summary.leftOut.map((item) => `  ${printable(item.object)}: ${item.reason}`)]),
  ];
}

function renderStep({ stage, name, statements, transaction }: PlanSummary["sql"][number]): string {
  const what = statements === undefined ? "" : `${plural(statements, "statement")}${transaction ? "" : ", not in one transaction"}`;
  return `  ${stage.padEnd(14)}${printable(name)}  ${what}`.trimEnd();
}
