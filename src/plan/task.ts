import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import type { MatviewInfo, SequenceInfo } from "../catalog/relations.ts";
import type { RowHash } from "../catalog/row-hash.ts";
import type { TableInfo } from "../catalog/tables.ts";
import type { Side } from "../errors.ts";
import type { TaskKind } from "../events.ts";
import type { GraphNode } from "../scheduler/graph.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import type { SqlStep } from "./sql-step.ts";

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

/** One COPY: the rows of a table, or of a range of its blocks. */
export interface Copy {
  /** `copy:16402`, or `copy:16402/0-1000` for a range of its blocks. */
  id: string;
  /** For people: `public.orders`. */
  object: string;
  table: TableInfo;
  format: "binary" | "text";
  /** Why not binary. */
  formatReason: string | undefined;
  /** TRUNCATE and `COPY … FREEZE` in one transaction: worth it for tables that are not small, impossible for ranges. */
  freeze: boolean;
  /** `--mode truncate`: what goes in the same transaction, the table's own rows, or those of its partitions with it. */
  replaces?: "table" | "tree" | undefined;
  range: BlockRange | undefined;
  /** Heap and TOAST to move. */
  bytes: number;
}

/** Rows whose ctid lies in blocks `from` up to, not with, `to`; no `to`: to the table's end. */
export interface BlockRange {
  /** 1 for the first range of a table. */
  number: number;
  of: number;
  from: number;
  to: number | undefined;
}

/** COPYs that go one behind the other over one connection and are committed together: one, or many small ones. */
export interface CopyTask extends TaskBase {
  kind: "copy";
  copies: readonly Copy[];
}

/** What one pg_dump writes and one pg_restore reads: a table, a partitioned table with its partitions, or many small tables. */
export interface DumpEntry {
  /** The folder, or with `--dump-format custom` the file, in the dump folder. */
  path: string;
  /** For people: `public.orders`. */
  object: string;
  /** `Standard Table`, `Partitioned (24 parts)`, `Small Tables (100)`. */
  detail: string;
  /** OIDs of its copies' tables. */
  tables: readonly number[];
  /** On the source: heap and TOAST. */
  bytes: number;
}

/** pg_dump or pg_restore for one entry of a dump folder. */
export interface DumpTask extends TaskBase {
  kind: "export" | "import";
  dump: DumpEntry;
  copies: readonly Copy[];
}

export interface LargeObjectsTask extends TaskBase {
  kind: "large-objects";
  objects: readonly LargeObjectInfo[];
  /** With a dump folder: which file of it they go into, or come from. */
  file?: { name: string; way: "in" | "out" } | undefined;
}

/** An index, or a primary key, unique or exclusion constraint, or a foreign key: the dear part of post-data. */
export interface BuildTask extends TaskBase {
  kind: "index" | "constraint" | "foreign-key";
  entry: SchemaEntry;
  /** A foreign key into tables whose rows were not selected: it is made NOT VALID where its rows have no match. */
  partial: boolean;
}

/** Indexes and constraints of small tables, many to a round trip. */
export interface SmallBuildsTask extends TaskBase {
  kind: "small-builds";
  entries: readonly SchemaEntry[];
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
  /** As a dump folder holds them; undefined: the source is asked. */
  values?: readonly SequenceValue[] | undefined;
}

export interface SequenceValue extends SequenceInfo {
  /** A number that JavaScript's may not hold. */
  value: string;
  called: boolean;
}

export interface AnalyzeTask extends TaskBase {
  kind: "analyze";
  relations: readonly AnalyzedRelation[];
}

export interface AnalyzedRelation {
  schema: string;
  name: string;
  /** Whose statistics may come from the source instead: its own, its partitions' and its expression indexes'. Empty: ANALYZE it. */
  carried: ReadonlyArray<{ schema: string; name: string }>;
}

/** Counts the rows of tables, the source's in the snapshot, and adds up their hashes where there are any. */
export interface CountTask extends TaskBase {
  kind: "count";
  /** Both, unless the source's rows are counted by their COPY, or a side can be reached only while the other cannot. */
  sides: readonly Side[];
  /** By table's OID: the copy that has read all of its rows on the source, whose tag counts them where that side is not asked. */
  sent?: ReadonlyMap<number, string> | undefined;
  /** Sides whose sessions are in a transaction that has to go on: its snapshot is looked at. */
  frozen: readonly Side[];
  tables: readonly TableInfo[];
  /** Of a single table: only the rows in these blocks. */
  range: BlockRange | undefined;
  /** By table's OID. Empty: rows are only counted. */
  hashes: ReadonlyMap<number, RowHash>;
}

/** A file of the user's SQL, or a hook. */
export interface SqlTask extends TaskBase {
  kind: "sql";
  step: SqlStep;
}

/** The end of the journal, and what can only come after it: event triggers. */
export interface FinishTask extends TaskBase {
  kind: "finish";
  entries: readonly SchemaEntry[];
}

export type Task =
  | PreDataTask
  | CopyTask
  | DumpTask
  | LargeObjectsTask
  | BuildTask
  | SmallBuildsTask
  | StatementsTask
  | RefreshTask
  | SequencesTask
  | AnalyzeTask
  | CountTask
  | SqlTask
  | FinishTask;
