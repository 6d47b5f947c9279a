import type { TaskKind } from "../events.ts";
import { speedometer } from "./speed.ts";

/** How far all tables together are. */
export interface DataView {
  kind: TaskKind;
  /** 0 to 1. */
  share: number;
  /** Heap and TOAST on the source, in bytes: of what has arrived, and of everything. */
  bytes: number;
  total: number;
  /** As moved over the wire, lately. */
  bytesPerSecond: number;
  /** Milliseconds until all rows are there; undefined when nothing can be said. */
  leftMs: number | undefined;
}

export interface DataProgress {
  moved: (bytes: number, now: Partly) => void;
  /** Of a table that is done: its size on the source, and the bytes moved that were not told of before. */
  done: (weight: number, bytes: number, now: Partly) => void;
  view: (now: Partly) => DataView;
}

/** Of the tasks under way: bytes of their tables that have arrived, by estimate. */
interface Partly {
  at: number;
  partly: number;
}

/**
 * Adds up tasks that move rows. A table counts by its size on the source, which the plan knows; what goes over the wire may be more
 * (compressed values) or less (dead rows), and is looked at for the speed alone. So the sum ends at 100 %, whatever the estimates were.
 */
export function dataProgress(kind: TaskKind, total: number, at: number): DataProgress {
  const speed = speedometer();
  let arrived = 0;
  let wire = 0;
  const shareOf = (partly: number): number => Math.min(1, (arrived + partly) / total);
  const sample = ({ at: now, partly }: Partly) => ({ at: now, bytes: wire, share: shareOf(partly) });
  speed.note({ at, bytes: 0, share: 0 });
  return {
    moved: (bytes, now) => {
      wire += bytes;
      speed.note(sample(now));
    },
    done: (weight, bytes, now) => {
      arrived += weight;
      wire += bytes;
      speed.note(sample(now));
    },
    view: (now) => {
      const share = shareOf(now.partly);
      return { kind, share, bytes: share * total, total, bytesPerSecond: speed.rate(sample(now)), leftMs: speed.left(sample(now)) };
    },
  };
}
