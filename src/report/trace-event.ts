/** One record of the Trace Event Format: times and durations in microseconds, from the call on. */
export interface TraceEvent {
  /** `X` has a duration, `i` is a moment, `C` a value that changes, `M` names a row. */
  ph: "X" | "i" | "C" | "M";
  name: string;
  cat?: string | undefined;
  pid: number;
  /** The row: the number of a worker, or one from 10,000,000 on for the run's own stages. */
  tid: number;
  ts?: number | undefined;
  dur?: number | undefined;
  /** Of a moment: drawn on its row alone. */
  s?: "t" | undefined;
  /** Colour in chrome://tracing, one of its own names. */
  cname?: string | undefined;
  args?: Readonly<Record<string, unknown>> | undefined;
}

/** A timeline of a run. Written as JSON it opens in ui.perfetto.dev and chrome://tracing. */
export interface ChromeTrace {
  traceEvents: readonly TraceEvent[];
  displayTimeUnit: "ms";
  otherData: Readonly<Record<string, string>>;
}

/**
 * The number of the process and of its first row. Perfetto puts the row whose number is the process's above the others; workers have
 * their own numbers, from 1, and there are a million at the most.
 */
export const RUN = 10_000_000;

/** Red in chrome://tracing. */
export const FAILED = "terrible";

type Args = Record<string, unknown>;

/** Moments in milliseconds. */
export function span(
  name: string,
  of: { cat: string; row: number; from: number; to: number; colour?: string | undefined; args: Args },
): TraceEvent {
  const { cat, row, from, to, colour, args } = of;
  const cname = colour === undefined ? {} : { cname: colour };
  return { ph: "X", name, cat, pid: RUN, tid: row, ts: micro(from), dur: micro(to) - micro(from), ...cname, args: known(args) };
}

export function moment(name: string, row: number, at: number, args: Args = {}): TraceEvent {
  return { ph: "i", s: "t", name, cat: "moment", pid: RUN, tid: row, ts: micro(at), args: known(args) };
}

export function counter(name: string, at: number, args: Args): TraceEvent {
  return { ph: "C", name, pid: RUN, tid: RUN, ts: micro(at), args };
}

export function processName(name: string): TraceEvent {
  return { ph: "M", name: "process_name", pid: RUN, tid: RUN, args: { name } };
}

/** `place`: rows with less stand higher. Perfetto looks at it since the end of 2025 and went by the name before. */
export function rowName(row: number, place: number, name: string): TraceEvent[] {
  const meta = { ph: "M", pid: RUN, tid: row } as const;
  return [
    { ...meta, name: "thread_name", args: { name } },
    { ...meta, name: "thread_sort_index", args: { sort_index: place } },
  ];
}

/** In the order of time, and of two that begin together the longer one first: so it is the one that holds the other. */
export function inOrder(events: readonly TraceEvent[]): TraceEvent[] {
  return events.toSorted((a, b) => (a.ts ?? 0) - (b.ts ?? 0) || (b.dur ?? 0) - (a.dur ?? 0));
}

/** Bytes as MB, two decimals. */
export function megabytes(bytes: number): number {
  return Math.round(bytes / 1e4) / 100;
}

function micro(ms: number): number {
  return Math.round(ms * 1000);
}

/** Without the fields that have no value. */
function known(args: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
