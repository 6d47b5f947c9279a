import type { Advice } from "../events.ts";

/** What a successful run has done. */
export interface SyncResult {
  /** The run's id, ten characters. */
  run: string;
  /** The target database's name. */
  database: string;
  /** Where the replaced database was kept (`keepPrevious`). */
  previous: string | undefined;
  /** The source snapshot that all was read under. */
  snapshot: string;
  tables: readonly CopiedTable[];
  rows: number;
  /** Bytes of COPY data moved. */
  bytes: number;
  /** Milliseconds, from the first connection to the end. */
  ms: number;
  warnings: readonly string[];
  /** The target's settings that cost this run time; none after a small one. */
  advice: readonly Advice[];
}

export interface CopiedTable {
  schema: string;
  name: string;
  rows: number;
  bytes: number;
  ms: number;
  format: "binary" | "text";
}
