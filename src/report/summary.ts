import type { EndpointSummary, SyncEventBody } from "../events.ts";
import { formatBytes, formatCount, formatDuration } from "../util/format.ts";
import { type Paint, printable, RULE } from "./style.ts";

type Event<T extends SyncEventBody["type"]> = Extract<SyncEventBody, { type: T }> & { time: string; run: string };

export type Command = NonNullable<Event<"run:started">["command"]>;

/** What a run is going to do. */
export function bannerLines(event: Event<"run:started">, clock: string, paint: Paint): string[] {
  const { command = "sync", folder } = event;
  const end = (name: string, { user, host, port, database }: EndpointSummary): string =>
    `  ${name} : ${printable(`${user}@${host}:${port}/${database}`)}`;
  return [
    paint("cyan", RULE),
    paint("cyan", `${command.toUpperCase()} CONFIGURATION`),
    paint("cyan", RULE),
    end(command === "import" ? "Dump of         " : "Source (MAIN)   ", event.source),
    ...(command === "export" ? [] : [end("Target (ARCHIVE)", event.target)]),
    ...(folder === undefined ? [] : [`  Dump folder      : ${printable(folder)}`]),
    `  Started          : ${event.time.slice(0, 10)} ${clock}`,
    `  Jobs             : ${event.jobs} parallel connections`,
    `  Tables at once   : ${event.batchSize} (${event.connections} connections in all)`,
    ...(command === "export" ? [] : [`  Mode             : ${event.mode}`]),
    ...(command === "sync" ? [`  Strategy         : ${event.strategy}${folder === undefined ? "" : ", via dump"}`] : []),
    `  Run              : ${event.run} (pgditto ${event.version})`,
    paint("cyan", RULE),
  ];
}

/** What a run has done. */
export function summaryLines(
  event: Event<"run:done">,
  { command, checksums, held, advice }: { command: Command; checksums: boolean; held: string; advice: readonly string[] },
  paint: Paint,
): string[] {
  const { folder } = event;
  const previous = event.previous === undefined ? "" : ` (the old one is ${printable(event.previous)})`;
  const compared = folder === undefined ? `, ${checksums ? "compared by checksum" : "counted on both sides"}` : "";
  return [
    "",
    paint("green", RULE),
    paint("green", `${command.toUpperCase()} COMPLETED SUCCESSFULLY`),
    paint("green", RULE),
    `  Database : ${printable(event.database)}${previous}`,
    ...(folder === undefined ? [] : [`  Folder   : ${printable(folder)}`]),
    `  Tables   : ${formatCount(event.tables)}`,
    `  Rows     : ${formatCount(event.rows)}${compared}`,
    `  Size     : ${formatBytes(event.bytes)} of ${folder === undefined ? "rows" : "files"}, ${formatBytes((event.bytes / Math.max(1, event.ms)) * 1000)}/s`,
    `  Time     : ${formatDuration(event.ms)}`,
    ...(held === "" ? [] : [`  Snapshot : held on the source for ${held}`]),
    `  Warnings : ${event.warnings}`,
    ...(advice.length > 0 ? ["", "  What the target's settings cost:", ...advice] : []),
    paint("green", RULE),
  ];
}
