import type { SyncEvent } from "../events.ts";
import { type ChromeTrace, inOrder, moment, processName, RUN, type TraceEvent } from "./trace-event.ts";
import { stageRows } from "./trace-stages.ts";
import { taskRows } from "./trace-tasks.ts";

export interface TraceReporter {
  report: (event: SyncEvent) => void;
  /** What was seen so far; what has not ended is drawn up to here. */
  trace: () => ChromeTrace;
}

/**
 * The timeline of one run's events. It holds names of databases and of what is in them, numbers and codes: no hosts and users, and no
 * messages, which may quote values.
 */
export function chromeTrace(events: Iterable<SyncEvent>): ChromeTrace {
  const reporter = traceReporter();
  for (const event of events) reporter.report(event);
  return reporter.trace();
}

/** Collects the timeline while the run lasts. What it keeps grows with the number of tasks, not with the time they take. */
export function traceReporter(): TraceReporter {
  const stages = stageRows();
  const tasks = taskRows();
  const moments: TraceEvent[] = [];
  const about: Record<string, string> = {};
  let graph = { from: 0, to: 0 };
  let now = 0;

  const report = (event: SyncEvent): void => {
    now = event.at;
    switch (event.type) {
      case "run:started": {
        const { version: pgditto, run, time: started, mode, source, target } = event;
        Object.assign(about, { pgditto, run, started, mode, source: source.database, target: target.database });
        break;
      }
      case "run:connected":
        about["sourceVersion"] = event.source.version;
        about["targetVersion"] = event.target.version;
        break;
      case "phase:started":
        moments.push(moment(`phase ${event.phase}: ${event.name}`, RUN, now));
        break;
      case "message":
        if (event.level === "warning") moments.push(moment(`warning: ${event.code}`, RUN, now));
        break;
      case "plan:ready":
        about["plan"] = `${event.tables} tables, ${event.bytes} bytes, ${event.tasks} tasks`;
        about["pgDump"] = event.pgDump;
        break;
      case "stage:started":
        stages.started(event);
        // the strategy template counts before and after the copy: two of them
        if (event.stage === "tasks") graph = { from: graph.to > 0 ? graph.from : now, to: now };
        break;
      case "stage:done":
        stages.done(event);
        if (event.stage === "tasks") {
          graph.to = now;
          tasks.over(now);
        }
        break;
      case "task:started":
        tasks.started(event);
        break;
      case "task:progress":
        tasks.progress(event);
        break;
      case "task:retry":
        tasks.retry(event);
        break;
      case "task:done":
        tasks.done(event);
        break;
      case "task:failed":
        tasks.failed(event);
        break;
      case "run:done":
        about["end"] = "done";
        break;
      case "run:failed":
        about["end"] = event.error.code;
        break;
      case "build:progress":
      case "staging:created":
      case "verify:done":
      case "ledger":
      case "dump:done":
      case "swap:done":
      case "source:held":
      case "cleanup":
      case "advice":
        break;
      default:
        event satisfies never;
    }
  };

  return {
    report,
    trace: () => ({
      traceEvents: [
        processName(`pgditto ${about["source"] ?? "?"} → ${about["target"] ?? "?"}`),
        ...stages.names(),
        ...tasks.names(stages.count(), graph.to - graph.from),
        ...inOrder([...moments, ...stages.spans(now), ...tasks.events(now)]),
      ],
      displayTimeUnit: "ms",
      otherData: { ...about },
    }),
  };
}
