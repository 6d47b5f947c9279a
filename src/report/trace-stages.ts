import type { Stage, SyncEvent } from "../events.ts";
import { FAILED, RUN, rowName, span, type TraceEvent } from "./trace-event.ts";

/** As people would say it. */
const NAMES: Readonly<Record<Stage, string>> = {
  connect: "connect",
  preflight: "preflight",
  confirm: "look at the target, ask",
  leftovers: "drop what dead runs left",
  snapshot: "lock tables, take the snapshot",
  "find-pg-dump": "find pg_dump",
  "pg-dump": "pg_dump reads the schema",
  catalog: "catalog queries",
  resume: "prove what is there already",
  plan: "plan",
  dump: "complete the dump folder",
  "check-dump": "check the dump folder",
  workers: "open the workers' connections",
  "take-off": "take off what is in the way",
  staging: "create the staging database",
  template: "copy the source's files into the staging database",
  tasks: "run the tasks",
  "put-back": "put back what was taken off",
  verify: "compare inventories and counts",
  swap: "swap",
  "drop-old": "drop the old database",
  "drop-staging": "drop the staging database",
};

export interface StageRows {
  started: (event: Extract<SyncEvent, { type: "stage:started" }>) => void;
  done: (event: Extract<SyncEvent, { type: "stage:done" }>) => void;
  /** What has ended, and what has not up to `now`. */
  spans: (now: number) => TraceEvent[];
  names: () => TraceEvent[];
  /** How many there are: the workers' rows come below. */
  count: () => number;
}

/** The rows of the run's own stages: one, and a second one below for what goes on at the same time. */
export function stageRows(): StageRows {
  const spans: TraceEvent[] = [];
  const open = new Map<Stage, { row: number; from: number }>();
  let rows = 1;
  const spanOf = (stage: Stage, to: number, args: { failed?: true; unfinished?: true }): TraceEvent => {
    const { row, from } = open.get(stage) ?? { row: 0, from: to };
    const colour = Object.keys(args).length === 0 ? undefined : FAILED;
    return span(NAMES[stage], { cat: "stage", row: RUN + row, from, to, colour, args });
  };
  return {
    started: (event) => {
      const taken = new Set([...open.values()].map(({ row }) => row));
      let row = 0;
      while (taken.has(row)) row += 1;
      rows = Math.max(rows, row + 1);
      open.set(event.stage, { row, from: event.at });
    },
    done: (event) => {
      spans.push(spanOf(event.stage, event.at, event.failed ? { failed: true } : {}));
      open.delete(event.stage);
    },
    spans: (now) => [...spans, ...[...open.keys()].map((stage) => spanOf(stage, now, { unfinished: true }))],
    names: () => Array.from({ length: rows }, (_, row) => rowName(RUN + row, row, row === 0 ? "run" : "run, at the same time")).flat(),
    count: () => rows,
  };
}
