import type { Stage, TaskKind } from "../events.ts";
import { formatBytes, formatCount, formatDuration } from "../util/format.ts";
import { fitWidth, textWidth } from "../util/text-width.ts";
import { LABELS } from "./labels.ts";
import { shownName } from "./log-line.ts";
import type { DataView } from "./progress-data.ts";
import type { RunningView } from "./progress-task.ts";
import type { ProgressView } from "./progress.ts";
import { type Colour, type Paint, printable } from "./style.ts";

/** What is shorter is not worth a line that comes and goes. Milliseconds. */
const TASK_MS = 500;
const STAGE_MS = 1000;

export const STAGES: Readonly<Record<Exclude<Stage, "confirm" | "tasks">, string>> = {
  connect: "connecting",
  preflight: "looking for obstacles",
  leftovers: "removing what dead runs left",
  snapshot: "locking tables for the snapshot",
  "find-pg-dump": "looking for a pg_dump",
  "pg-dump": "pg_dump reads the schema",
  catalog: "reading the catalog",
  resume: "proving what is there",
  plan: "planning",
  workers: "opening connections",
  dump: "writing the dump folder",
  "check-dump": "checking the dump folder",
  "take-off": "taking off what is in the way",
  staging: "creating the staging database",
  template: "the server copies the files",
  "put-back": "putting back what was taken off",
  verify: "comparing",
  swap: "swapping names",
  "drop-old": "dropping the old database",
  "drop-staging": "dropping the staging database",
};

interface Row {
  colour: Colour;
  label: string;
  name: string;
  share: number | undefined;
  /** From the longest to the shortest: the first that fits is shown. */
  facts: readonly string[];
  ms: number | undefined;
}

export interface Screen {
  columns: number;
  rows: number;
  paint: Paint;
}

/** What stands under the log: a line a running task, as many as fit, and one for the whole. Each is narrower than the screen. */
export function progressLines(view: ProgressView, { columns, rows, paint }: Screen): string[] {
  // the log keeps a third of the screen, and the cursor the last line
  const room = Math.min(rows - 1, Math.ceil((rows * 2) / 3));
  if (room < 1) return [];
  const running = view.running.filter(({ ms }) => ms >= TASK_MS).map(ofTask);
  const whole = [...view.stages.flatMap(ofStage), ...view.data.filter(isUnderWay).map(ofData), ...ofTasks(view)].slice(-room);
  const free = room - whole.length;
  const shown = running.length <= free ? running : running.slice(0, Math.max(0, free - 1));
  const more = running.length - shown.length;
  const width = Math.max(0, columns - 1);
  const lines = [
    ...shown.map((row) => line(row, width, paint)),
    ...(more > 0 && free > 0 ? [fitWidth(`… and ${formatCount(more)} more`, width)] : []),
    ...whole.map((row) => line(row, width, paint)),
  ];
  return lines.length > 0 && lines.length + 1 < room ? ["", ...lines] : lines;
}

function line({ colour, label, name, share, facts, ms }: Row, width: number, paint: Paint): string {
  const labelWidth = width >= 36 ? 7 : 0;
  const timeWidth = width >= 60 ? 12 : 0;
  const barWidth = width >= 70 ? Math.min(30, Math.floor(width / 6)) : 0;
  const percentWidth = width >= 12 ? 5 : 0;
  const left = width - labelWidth - timeWidth - barWidth - percentWidth;
  // on a narrow screen a name leaves to the facts what it does not need
  const nameWidth = Math.min(left, width >= 50 ? Math.min(35, Math.floor(left / 2)) : textWidth(name));
  const factsWidth = left - nameWidth;
  const fact = facts.find((text) => text !== "" && textWidth(text) + 2 <= factsWidth) ?? "";
  const percent = (share === undefined || percentWidth === 0 ? "" : `${Math.floor(share * 100)} %`).padStart(percentWidth);
  const known = fitWidth(fact === "" ? "" : `  ${fact}`, factsWidth);
  return [
    paint(colour, fitWidth(label, labelWidth)),
    fitWidth(name, nameWidth),
    ...(width >= 50 ? [bar(share, barWidth), percent, known] : [known, percent]),
    (ms === undefined || timeWidth === 0 ? "" : formatDuration(ms).slice(0, timeWidth)).padStart(timeWidth),
  ].join("");
}

function bar(share: number | undefined, width: number): string {
  if (width < 4) return "";
  const inside = width - 3;
  const done = share === undefined ? 0 : Math.round(share * inside);
  return ` [${"=".repeat(done)}${share === undefined ? "-".repeat(inside) : " ".repeat(inside - done)}]`;
}

function ofTask(task: RunningView): Row {
  const { kind, ms, share } = task;
  return { colour: "yellow", label: labelOf(kind), name: shownName(task.object), share, facts: [...factsOf(task), ""], ms };
}

export function factsOf({ build, rows, expectedRows, bytes, attempt }: RunningView): string[] {
  const again = attempt > 1 ? [`attempt ${attempt}`] : [];
  if (build) {
    const phase = printable(build.phase).replace("building index: ", "");
    const counted = build.total > 0 ? `, ${formatCount(build.done)} of ${formatCount(build.total)} ${build.unit}` : "";
    return [phase + counted, phase];
  }
  if (bytes === 0) return again;
  const moved = rows > 0 ? `${formatCount(rows)} rows` : "";
  const of = rows > 0 && expectedRows !== undefined && expectedRows >= rows ? ` of ~${formatCount(expectedRows)}` : "";
  const size = formatBytes(bytes);
  return [
    [...again, moved === "" ? size : `${formatCount(rows)}${of} rows, ${size}`].join(", "),
    [...again, moved, size].filter((text) => text !== "").join(", "),
    size,
  ];
}

/** From the longest to the shortest. */
export function factsOfData({ bytes, total, bytesPerSecond, leftMs }: DataView): [string, ...string[]] {
  const speed = `${formatBytes(bytesPerSecond)}/s`;
  const end = leftMs === undefined ? "" : `, ETA ${formatDuration(leftMs)}`;
  const amount = `${formatBytes(bytes)} of ${formatBytes(total)}`;
  return [`${amount}, ${speed}${end}`, `${speed}${end}`, end.slice(2), speed];
}

function ofData(data: DataView): Row {
  const { kind, share } = data;
  return { colour: "cyan", label: labelOf(kind), name: "all tables", share, facts: factsOfData(data), ms: undefined };
}

function ofTasks({ tasks, running }: ProgressView): Row[] {
  if (!tasks || tasks.total === 0) return [];
  const { done, total, ms } = tasks;
  const amount = `${formatCount(done)} of ${formatCount(total)} tasks`;
  const share = Math.min(1, done / total);
  return [
    { colour: "cyan", label: "ALL", name: "all tasks", share, facts: [`${amount}, ${formatCount(running.length)} at work`, amount], ms },
  ];
}

/** Ranges of a table add up to all of it but for what rounding takes. */
export function isUnderWay({ share }: DataView): boolean {
  return share < 1 - 1e-6;
}

function ofStage({ stage, ms }: ProgressView["stages"][number]): Row[] {
  if (stage === "confirm" || stage === "tasks" || ms < STAGE_MS) return [];
  return [{ colour: "yellow", label: "RUN", name: STAGES[stage], share: undefined, facts: [], ms }];
}

/** Of a kind that has no label, because it is newer than this file, its name. */
export function labelOf(kind: TaskKind): string {
  const labels: Readonly<Record<string, string>> = LABELS;
  return labels[kind] ?? kind.toUpperCase();
}
