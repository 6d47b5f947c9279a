import type { SyncEvent, TaskKind } from "../events.ts";
import { plural } from "../util/format.ts";

type Of<T extends SyncEvent["type"]> = Extract<SyncEvent, { type: T }>;

/** One task at work, as it is told of. */
export interface RunningView {
  kind: TaskKind;
  /** For people: `public.orders`, `public.orders (3/8)` for a range, `12 small tables`. */
  object: string;
  ms: number;
  /** 0 to 1, of the rows or of a build's phase; undefined when there is no estimate to go by, or it was wrong. */
  share: number | undefined;
  rows: number;
  expectedRows: number | undefined;
  bytes: number;
  build: Pick<Of<"build:progress">, "phase" | "done" | "total" | "unit"> | undefined;
  /** 1 unless something failed in passing. */
  attempt: number;
}

export interface RunningTask {
  kind: TaskKind;
  /** Another table of the same batch. */
  joined: (event: Of<"task:started">) => void;
  moved: (event: Of<"task:progress">) => void;
  building: (event: Of<"build:progress">) => void;
  /** An attempt failed. */
  again: (attempt: number) => void;
  /** One of its tables is done; true: it was the last one. */
  ended: () => boolean;
  /** Bytes on the source of the table of this id. */
  weightOf: (id: string) => number;
  /** Bytes that were told of while it was under way. */
  told: () => number;
  /** Bytes on the source of what has arrived, by estimate. */
  partly: () => number;
  view: (at: number) => RunningView;
}

/** A task that runs is not done: the last hundredth comes with its end. */
const ALMOST = 0.99;
/** Statistics are a little behind as a rule. An estimate that was passed by more is none. */
const TOLERANCE = 1.05;

export function runningTask(started: Of<"task:started">): RunningTask {
  const { kind, id, object, detail, batch, at } = started;
  const weights = new Map<string, number>([[id, started.bytes]]);
  let left = 1;
  let [rows, bytes] = [0, 0];
  let build: RunningView["build"];
  let attempts = 1;
  // of a batch nothing is told until it is done
  const expectedRows = batch === undefined ? started.expectedRows : undefined;
  const range = /range (\d+) of (\d+)/.exec(detail);
  const name = range ? `${object} (${range[1]}/${range[2]})` : object;

  const estimated = expectedRows !== undefined;
  const arrived = (): number => {
    const byRows = estimated && rows > 0 && rows <= expectedRows * TOLERANCE;
    return Math.min(ALMOST, byRows ? rows / expectedRows : bytes / Math.max(1, started.bytes));
  };
  const share = (): number | undefined => {
    if (build) return build.done > 0 && build.total > 0 ? Math.min(ALMOST, build.done / build.total) : undefined;
    return estimated && started.bytes > 0 && rows <= expectedRows * TOLERANCE ? arrived() : undefined;
  };

  return {
    kind,
    joined: (event) => {
      weights.set(event.id, event.bytes);
      left += 1;
    },
    moved: (event) => {
      rows += event.rows ?? 0;
      bytes += event.bytes;
    },
    building: ({ phase, done, total, unit }) => {
      build = { phase, done, total, unit };
    },
    again: (attempt) => {
      attempts = attempt + 1;
      build = undefined;
      [rows, bytes] = [0, 0];
    },
    ended: () => {
      left -= 1;
      return left === 0;
    },
    weightOf: (table) => weights.get(table) ?? 0,
    told: () => bytes,
    partly: () => arrived() * started.bytes,
    view: (now) => ({
      kind,
      object: weights.size > 1 ? plural(weights.size, "small table") : name,
      ms: Math.max(0, now - at),
      share: share(),
      rows,
      expectedRows,
      bytes,
      build,
      attempt: attempts,
    }),
  };
}
