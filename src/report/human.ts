import type { SyncEvent } from "../events.ts";
import { formatBytes, formatCount, formatDuration, plural } from "../util/format.ts";
import { errorDetails } from "./error-details.ts";
import { heldFor, isLong } from "./held.ts";
import { LABELS, LONG, QUIET } from "./labels.ts";
import { ledgerLine } from "./ledger-line.ts";
import { groupBook } from "./groups.ts";
import { logLine } from "./log-line.ts";
import { painter, printable, THIN_RULE } from "./style.ts";
import { bannerLines, type Command, summaryLines } from "./summary.ts";

export interface HumanReporterOptions {
  /** Takes whole lines. */
  out: (line: string) => void;
  /** Where the error block goes. */
  err: (line: string) => void;
  colours: boolean;
  /** The same for the error block: standard error may go elsewhere. Default: as `colours`. */
  errColours?: boolean | undefined;
  /** `HH:MM:SS` of an event's time, in the reader's time zone. */
  clock: (time: string) => string;
}

/** Writes a run as the original script did: banner, phases, one line a table for its start and its end, summary. */
export function humanReporter(options: HumanReporterOptions): (event: SyncEvent) => void {
  const { out } = options;
  const paint = painter(options.colours);
  const style = { paint, clock: options.clock };
  const groups = groupBook();
  let atWork = false;
  let cleaning = false;
  let leftBehind = false;
  let checksums = false;
  let held = "";
  let command: Command = "sync";
  const advice: string[] = [];

  const line = (time: string, label: string, state: string, name: string, detail: string): void => {
    out(logLine(style, time, label, state, name, detail));
  };
  const heading = (text: string): void => {
    for (const one of ["", paint("cyan", text), paint("cyan", THIN_RULE)]) out(one);
  };
  const finalCleanup = (): void => {
    if (!cleaning) heading("FINAL CLEANUP");
    cleaning = true;
  };

  return (event) => {
    switch (event.type) {
      case "run:started":
        command = event.command ?? "sync";
        for (const one of bannerLines(event, options.clock(event.time), paint)) out(one);
        break;
      case "run:connected":
        line(
          event.time,
          "SERVER",
          "DONE",
          "connected",
          [
            ...(command === "import" ? [] : [`source PostgreSQL ${event.source.version}`]),
            ...(command === "export" ? [] : [`target PostgreSQL ${event.target.version}`]),
          ].join(", "),
        );
        break;
      case "phase:started":
        heading(`PHASE ${event.phase}/${event.of}: ${event.name}`);
        break;
      case "stage:started":
      case "stage:done":
        break;
      case "message":
        if (event.code === "retired-not-dropped" || event.code === "dump-kept") leftBehind = true;
        line(
          event.time,
          "NOTE",
          event.level === "warning" ? "WARNING" : "INFO",
          event.code,
          event.hint === undefined ? event.message : `${event.message} ${event.hint}`,
        );
        break;
      case "staging:created":
        atWork = true;
        line(event.time, "SCHEMA", "DONE", "staging database", event.database);
        break;
      case "plan:ready":
        line(
          event.time,
          "PLAN",
          "DONE",
          plural(event.tables, "table"),
          `${formatBytes(event.bytes)} in ${plural(event.tasks, "task")}; ${event.pgDump === "" ? "" : `schema read with ${event.pgDump}; `}snapshot ${event.snapshot}`,
        );
        break;
      case "task:started": {
        if (event.kind !== "copy") {
          const what = event.kind === "import" ? "Restoring data..." : event.detail;
          if (LONG.has(event.kind)) line(event.time, LABELS[event.kind], "STARTED", event.object, what);
          break;
        }
        const group = groups.start(event.group ?? event.object, event.group === undefined ? 1 : event.parts, Date.parse(event.time));
        if (group)
          line(
            event.time,
            LABELS.copy,
            "STARTED",
            group.name,
            event.group === undefined
              ? "Standard Table"
              : `${event.group === event.object ? "Split" : "Partitioned"} (${group.parts} parts)`,
          );
        break;
      }
      case "task:progress":
      case "build:progress":
        break;
      case "task:retry":
        line(
          event.time,
          LABELS[event.kind],
          "RETRY",
          event.object,
          `attempt ${event.attempt} of ${event.attempts} failed, next in ${formatDuration(event.delayMs)}: ${event.error.message}`,
        );
        break;
      case "task:done": {
        if (event.kind !== "copy") {
          const size = event.kind === "export" ? `Size: ${formatBytes(event.bytes)}, ` : "";
          if (!QUIET.has(event.kind))
            line(event.time, LABELS[event.kind], "DONE", event.object, `${size}Time: ${formatDuration(event.ms)}`);
          break;
        }
        const group = groups.finish(event.group ?? event.object, event);
        if (!group) break;
        const ms = event.group === undefined ? event.ms : Date.parse(event.time) - group.startedAt;
        line(
          event.time,
          LABELS.copy,
          "DONE",
          group.name,
          `Rows: ${formatCount(group.rows)}, Size: ${formatBytes(group.bytes)}, Time: ${formatDuration(ms)}`,
        );
        break;
      }
      case "task:failed":
        atWork = true;
        line(event.time, LABELS[event.kind], "FAILED", event.object, event.error.message);
        break;
      case "source:held":
        held = heldFor(event);
        if (isLong(event)) line(event.time, "NOTE", "INFO", "snapshot", `held on the source for ${held}: vacuum leaves what died since`);
        break;
      case "verify:done":
        checksums = event.checksums;
        line(
          event.time,
          "COUNT",
          event.differences.length === 0 ? "DONE" : "FAILED",
          plural(event.tables, "table"),
          `${plural(event.rows, "row")} ${event.checksums ? "compared by checksum" : "counted on both sides"}, ${plural(event.objects, "object")} compared, ${plural(event.differences.length, "difference")}`,
        );
        break;
      case "ledger":
        line(event.time, ...ledgerLine(event));
        break;
      case "dump:done":
        line(
          event.time,
          "EXPORT",
          "DONE",
          plural(event.files, "file"),
          `${formatBytes(event.bytes)} with ${plural(event.rows, "row")} of ${plural(event.tables, "table")} in ${event.folder}; the manifest is written`,
        );
        break;
      case "swap:done":
        line(
          event.time,
          "SWAP",
          "DONE",
          event.database,
          event.previous === undefined ? "the new database is live" : `the new database is live; the old one is ${event.previous}`,
        );
        break;
      case "cleanup":
        // what is removed before the work begins was left by earlier runs
        if (atWork) finalCleanup();
        line(
          event.time,
          "CLEAN",
          event.removed ? "DONE" : "FAILED",
          event.object,
          event.removed ? `removed: ${event.reason}` : `could not be removed: ${event.reason}`,
        );
        break;
      case "advice":
        advice.push(
          `  ${event.setting} = ${event.value}, better ${event.better}`,
          `    ${printable(event.message)}`,
          `    ${printable(event.fix)}`,
        );
        break;
      case "run:done":
        if (command !== "export") finalCleanup();
        if (!leftBehind && command !== "export") out("nothing of this run is left behind");
        for (const one of summaryLines(event, { command, checksums, held, advice }, paint)) out(one);
        break;
      case "run:failed":
        for (const one of errorDetails(event, painter(options.errColours ?? options.colours))) options.err(one);
        break;
      default:
        event satisfies never;
    }
  };
}
