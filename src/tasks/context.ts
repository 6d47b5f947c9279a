import type { Pace } from "../copy/pace.ts";
import type { CarriedStatistics } from "../schema/statistics.ts";
import type { Session } from "../postgres/session.ts";
import type { DumpAccess } from "./dump-access.ts";
import type { RowCounts } from "./row-counts.ts";
import type { Journal } from "./journal.ts";

/** What a task gets from the run. */
export interface TaskContext {
  /** This slot's session on the source, inside the run's snapshot. */
  source: () => Promise<Session>;
  /** This slot's session on the staging database. */
  target: () => Promise<Session>;
  /** Closes that session; the next one is new, so that nothing of what was set or left in it is seen by other tasks. */
  leaveTarget: () => Promise<void>;
  signal: AbortSignal;
  /** 1 for the first attempt; a later one must cope with what an earlier one may have committed. */
  attempt: number;
  /** Server encoding of both databases; null when it is UTF8, where nothing needs to be said. */
  encoding: string | null;
  noOwner: boolean;
  noAcl: boolean;
  /** With a dump folder. */
  dump?: DumpAccess | undefined;
  /** What holds back everything that copies; undefined: nothing does. */
  pace: Pace | undefined;
  /** Processes that a build may add to its own now; undefined: nobody knows the target's cores. */
  coreShare: () => number | undefined;
  /** Tells what has been moved since the last call; rows as far as they are seen to pass. */
  onBytes: (bytes: number, rows?: number) => void;
  warn: (code: string, message: string, hint?: string) => void;
  tell: (code: string, message: string) => void;
  /** The source's statistics, read when first asked for; undefined: they are not carried over. */
  statistics: (() => Promise<CarriedStatistics>) | undefined;
  /** Undefined: what is done is not noted; another attempt does it again. */
  journal: Journal | undefined;
  /** The target's session is in a transaction that the run itself commits or gives up. */
  inTransaction?: boolean | undefined;
  /** Tells that a COPY is committed, by its id. */
  recordCopy: (id: string, result: TaskResult) => void;
  /** Rows of a COPY that is committed, as both servers counted them. */
  rowsSent: (id: string) => number | undefined;
  recordCount: (table: number, counts: RowCounts) => void;
}

export interface TaskResult {
  rows: number;
  bytes: number;
}

export const NOTHING_MOVED: TaskResult = { rows: 0, bytes: 0 };
