/** What had been moved at a moment; which share of the whole that was. */
interface Sample {
  at: number;
  bytes: number;
  share: number;
}

/** Milliseconds that are looked back: the rate follows what happens, the end is guessed from more than one table. */
const RATE_MS = 15_000;
const END_MS = 60_000;
/** Samples are kept so far apart. */
const STEP_MS = 500;
/** Below this share nothing is said about the end, nor in the first moments. */
const ENOUGH = 0.01;
const SETTLED_MS = 3000;

export interface Speed {
  note: (sample: Sample) => void;
  /** Bytes a second, lately. */
  rate: (now: Sample) => number;
  /** Milliseconds to the end, should it go on as it did lately; undefined when nothing can be said, or nothing moves. */
  left: (now: Sample) => number | undefined;
}

/** How fast something goes, by what it did in the last moments. What it keeps does not grow with the length of the run. */
export function speedometer(): Speed {
  let samples: Sample[] = [];
  const since = (ms: number, now: Sample): Sample | undefined => samples.findLast(({ at }) => at <= now.at - ms) ?? samples[0];
  return {
    note: (sample) => {
      const last = samples.at(-1);
      if (last && sample.at - last.at < STEP_MS) return;
      // the last one before the window is where the window begins
      const from = samples.findLastIndex(({ at }) => at <= sample.at - END_MS);
      if (from > 0) samples = samples.slice(from);
      samples.push(sample);
    },
    rate: (now) => {
      const from = since(RATE_MS, now);
      return from && now.at > from.at ? Math.max(0, ((now.bytes - from.bytes) / (now.at - from.at)) * 1000) : 0;
    },
    left: (now) => {
      const from = since(END_MS, now);
      if (!from || now.share < ENOUGH || now.at - from.at < SETTLED_MS || now.share <= from.share) return undefined;
      return ((1 - now.share) / (now.share - from.share)) * (now.at - from.at);
    },
  };
}
