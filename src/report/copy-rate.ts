/** Milliseconds that bytes are added up over. Tasks tell of their progress as often. */
const STEP_MS = 250;
/** A run of many hours has coarser steps instead of a file that no viewer opens. */
const MAX_POINTS = 2000;

export interface CopyRate {
  /** Bytes that came in between two moments, in milliseconds; taken as spread evenly. */
  add: (from: number, to: number, bytes: number) => void;
  /** Bytes a second from each moment on, until the next; only where it changes. */
  points: () => Array<{ at: number; bytesPerSecond: number }>;
}

/** Adds up what all copies move, so that the sum can be drawn as one curve. */
export function copyRate(): CopyRate {
  const steps = new Map<number, number>();
  return {
    add: (from, to, bytes) => {
      const [first, last] = [Math.floor(from / STEP_MS), Math.floor(Math.max(from, to) / STEP_MS)];
      for (let step = first; step <= last; step += 1) {
        const inside = Math.min(to, (step + 1) * STEP_MS) - Math.max(from, step * STEP_MS);
        const share = to > from ? inside / (to - from) : 1;
        steps.set(step, (steps.get(step) ?? 0) + bytes * share);
      }
    },
    points: () => {
      const last = [...steps.keys()].reduce((most, step) => Math.max(most, step), -1);
      const width = Math.max(1, Math.ceil((last + 1) / MAX_POINTS));
      const list: Array<{ at: number; bytesPerSecond: number }> = [];
      // one more than there are: the curve ends at zero
      for (let step = 0; step <= last + width; step += width) {
        let bytes = 0;
        for (let one = step; one < step + width; one += 1) bytes += steps.get(one) ?? 0;
        const bytesPerSecond = Math.round((bytes / (width * STEP_MS)) * 1000);
        if (bytesPerSecond !== (list.at(-1)?.bytesPerSecond ?? 0)) list.push({ at: step * STEP_MS, bytesPerSecond });
      }
      return list;
    },
  };
}
