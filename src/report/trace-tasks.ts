import type { SyncEvent, TaskKind } from "../events.ts";
import { plural } from "../util/format.ts";
import { copyRate } from "./copy-rate.ts";
import { counter, FAILED, megabytes, moment, rowName, span, type TraceEvent } from "./trace-event.ts";

/** In chrome://tracing a kind has a colour; Perfetto chooses by the name's first word, which is the kind too. */
const COLOURS: Readonly<Record<TaskKind, string>> = {
  "pre-data": "olive",
  copy: "thread_state_running",
  export: "thread_state_running",
  import: "thread_state_running",
  "large-objects": "thread_state_runnable",
  index: "rail_response",
  constraint: "rail_animation",
  "small-builds": "rail_response",
  "foreign-key": "rail_load",
  statements: "grey",
  refresh: "rail_idle",
  sequences: "grey",
  analyze: "thread_state_iowait",
  finish: "grey",
  count: "yellow",
  sql: "generic_work",
};

type Of<T extends SyncEvent["type"]> = Extract<SyncEvent, { type: T }>;

/** A task under way: of one table, or of many small ones that are committed together. */
interface Open {
  events: [Of<"task:started">, ...Array<Of<"task:started">>];
  /** So many of them have not told of their end. */
  left: number;
  /** When it last told of bytes, and of how many so far. */
  told: number;
  bytes: number;
  rows: number;
}

/** So many tables of a batch are named. */
const NAMED = 50;

export interface TaskRows {
  started: (event: Of<"task:started">) => void;
  progress: (event: Of<"task:progress">) => void;
  retry: (event: Of<"task:retry">) => void;
  done: (event: Of<"task:done">) => void;
  failed: (event: Of<"task:failed">) => void;
  /** No task is at work any more: one that has not told of its end was cancelled. */
  over: (now: number) => void;
  events: (now: number) => TraceEvent[];
  /** `place` of the first row, `ms` that tasks ran for in all. */
  names: (place: number, ms: number) => TraceEvent[];
}

/** A row for each worker with the tasks that it ran, and what all copies moved together. */
export function taskRows(): TaskRows {
  const events: TraceEvent[] = [];
  /** By the task's own id. */
  const tasks = new Map<string, Open>();
  /** Of a table in a batch: the id of the task. */
  const batches = new Map<string, string>();
  /** Milliseconds at work. */
  const busy = new Map<number, number>();
  const rate = copyRate();

  const openOf = (id: string): Open | undefined => tasks.get(batches.get(id) ?? id);
  const spanOf = ({ events }: Open, to: number, args: Record<string, unknown>, colour = COLOURS[events[0].kind]): TraceEvent => {
    const { kind, worker, waitedMs, at: from } = events[0];
    const { name, ...about } = describe(events);
    return span(`${kind} ${name}`, { cat: kind, row: worker, from, to, colour, args: { ...about, ...args, waitedMs } });
  };
  const close = (id: string, to: number, args: Record<string, unknown>, colour?: string): void => {
    const open = tasks.get(id);
    if (!open) return;
    tasks.delete(id);
    events.push(spanOf(open, to, args, colour));
    const { worker, at } = open.events[0];
    busy.set(worker, (busy.get(worker) ?? 0) + to - at);
  };
  const cameIn = (open: Open, now: number, bytes: number): void => {
    if (bytes > 0) rate.add(open.told, now, bytes);
    open.told = now;
    open.bytes += bytes;
  };

  return {
    started: (event) => {
      if (event.batch !== undefined) batches.set(event.id, event.batch);
      const open = openOf(event.id);
      if (!open) return void tasks.set(event.batch ?? event.id, { events: [event], left: 1, told: event.at, bytes: 0, rows: 0 });
      open.events.push(event);
      open.left += 1;
    },
    progress: (event) => {
      const open = openOf(event.id);
      if (open) cameIn(open, event.at, event.bytes);
    },
    retry: ({ id, at, attempt, delayMs, error: { code, sqlstate } }) => {
      const open = openOf(id);
      if (!open) return;
      // the next attempt begins at the first row
      Object.assign(open, { told: at + delayMs, bytes: 0 });
      const { name } = describe(open.events);
      events.push(moment(`attempt ${attempt} failed`, open.events[0].worker, at, { object: name, code, sqlstate, delayMs }));
    },
    done: ({ id, at, kind, rows, bytes, attempts, backends }) => {
      const open = openOf(id);
      if (!open) return;
      open.left -= 1;
      open.rows += rows;
      const batched = batches.has(id);
      if (batched) open.bytes += bytes;
      else cameIn(open, at, bytes - open.bytes);
      if (open.left > 0) return;
      // of a batch nothing was told meanwhile
      if (batched) rate.add(open.told, at, open.bytes);
      const ms = Math.max(1, at - open.events[0].at);
      const moved =
        kind === "copy" || open.bytes > 0 ? { rows: open.rows, bytes: open.bytes, "MB/s": megabytes((open.bytes / ms) * 1000) } : {};
      close(batches.get(id) ?? id, at, { ...moved, attempts, sourceBackend: backends.source, targetBackend: backends.target });
    },
    failed: ({ id, at, error }) => close(id, at, { failed: error.code, sqlstate: error.sqlstate }, FAILED),
    over: (now) => {
      for (const id of tasks.keys()) close(id, now, { cancelled: true }, FAILED);
    },
    events: (now) => [
      ...events,
      ...[...tasks.values()].map((open) => spanOf(open, now, { unfinished: true }, FAILED)),
      ...rate.points().map(({ at, bytesPerSecond }) => counter("copied", at, { "MB/s": megabytes(bytesPerSecond) })),
    ],
    names: (place, ms) => {
      const workers = [...new Set([...busy.keys(), ...[...tasks.values()].map((open) => open.events[0].worker)])].toSorted((a, b) => a - b);
      const digits = String(workers.at(-1) ?? 1).length;
      return workers.flatMap((worker) => {
        const share = ms > 0 ? ` (${Math.round(((busy.get(worker) ?? 0) / ms) * 100)}% busy)` : "";
        return rowName(worker, place + worker, `worker ${String(worker).padStart(digits, "0")}${share}`);
      });
    },
  };
}

/** What the started events of one task say of it. */
function describe(events: Open["events"]): { name: string } & Record<string, unknown> {
  const [{ kind, object, group, detail }, ...others] = events;
  const sourceBytes = kind === "copy" ? events.reduce((sum, { bytes }) => sum + bytes, 0) : undefined;
  if (others.length > 0) {
    const tables = events.slice(0, NAMED).map((event) => event.object);
    return { name: plural(events.length, "small table"), tables: `${tables.join(", ")}${events.length > NAMED ? ", …" : ""}`, sourceBytes };
  }
  if (kind !== "copy") return { name: object, object };
  const [format, range] = detail.split(", ");
  return {
    name: range === undefined ? object : `${object}, ${range}`,
    object,
    partitionOf: group === object ? undefined : group,
    format,
    range,
    sourceBytes,
  };
}
