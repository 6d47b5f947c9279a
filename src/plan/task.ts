import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import type { MatviewInfo, SequenceInfo } from "../catalog/relations.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { TaskKind } from "../events.ts";
import type { GraphNode } from "../scheduler/graph.ts";
import type { SchemaEntry } from "../schema/entries.ts";

interface TaskBase extends GraphNode {
  kind: TaskKind;
  /** For people: `public.orders`. */
  object: string;
}

/** Everything before the rows, in order, many statements to a round trip. */
interface PreDataTask extends TaskBase {
  kind: "pre-data";
  entries: readonly SchemaEntry[];
}

export interface CopyTask extends TaskBase {
  kind: "copy";
  table: TableInfo;
  format: "binary" | "text";
  /** Why not binary. */
  formatReason: string | undefined;
  /** TRUNCATE and `COPY … FREEZE` in one transaction: worth it for tables that are not small. */
  freeze: boolean;
}

export interface LargeObjectsTask extends TaskBase {
  kind: "large-objects";
  objects: readonly LargeObjectInfo[];
}

/** An index, or a primary key, unique or exclusion constraint, or a foreign key: the dear part of post-data. */
export interface BuildTask extends TaskBase {
  kind: "index" | "constraint" | "foreign-key";
  entry: SchemaEntry;
  /** A foreign key into tables whose rows were not selected: it is made NOT VALID where its rows have no match. */
  partial: boolean;
}

/** Cheap statements, in order: attaching indexes, triggers, rules, policies, comments, privileges, event triggers. */
export interface StatementsTask extends TaskBase {
  kind: "statements";
  entries: readonly SchemaEntry[];
}

export interface RefreshTask extends TaskBase {
  kind: "refresh";
  entry: SchemaEntry;
  matview: MatviewInfo | undefined;
}

export interface SequencesTask extends TaskBase {
  kind: "sequences";
  sequences: readonly SequenceInfo[];
}

export interface AnalyzeTask extends TaskBase {
  kind: "analyze";
  relations: ReadonlyArray<{ schema: string; name: string }>;
}

/** Counts the rows of tables on both sides, the source's in the snapshot. */
export interface CountTask extends TaskBase {
  kind: "count";
  tables: readonly TableInfo[];
}

export type Task =
  | PreDataTask
  | CopyTask
  | LargeObjectsTask
  | BuildTask
  | StatementsTask
  | RefreshTask
  | SequencesTask
  | AnalyzeTask
  | CountTask;
