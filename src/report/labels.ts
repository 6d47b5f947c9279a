import type { TaskKind } from "../events.ts";

/** What the log calls a kind of task. */
export const LABELS: Readonly<Record<TaskKind, string>> = {
  "pre-data": "SCHEMA",
  copy: "COPY",
  export: "EXPORT",
  import: "IMPORT",
  "large-objects": "LOBJ",
  index: "INDEX",
  constraint: "CONSTR",
  "small-builds": "INDEX",
  "foreign-key": "FKEY",
  statements: "SCHEMA",
  refresh: "MVIEW",
  sequences: "SEQ",
  analyze: "STATS",
  count: "COUNT",
  sql: "SQL",
  finish: "SCHEMA",
};

/** Told of when they start, too: those that take long enough to wonder. */
export const LONG: ReadonlySet<TaskKind> = new Set(["pre-data", "export", "import", "refresh", "large-objects", "sql"]);

/** Too many and too small to be told one by one. */
export const QUIET: ReadonlySet<TaskKind> = new Set(["analyze", "count", "statements", "finish"]);
