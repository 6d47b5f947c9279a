import { formatCount } from "../util/format.ts";
import { type LogStyle, logLine, shownName } from "./log-line.ts";
import { factsOf, factsOfData, isUnderWay, labelOf, STAGES } from "./progress-lines.ts";
import type { RunningView } from "./progress-task.ts";
import type { ProgressView } from "./progress.ts";

/** So many tasks at work are named. */
const NAMED = 3;

/** One line of a log that says how far a run is; undefined when nothing is going on. */
export function progressText(view: ProgressView, style: LogStyle, time: string): string | undefined {
  const data = view.data.filter(isUnderWay);
  const [first] = data;
  const { tasks, running } = view;
  const stages = view.stages.flatMap(({ stage }) => (stage === "confirm" || stage === "tasks" ? [] : STAGES[stage]));
  const count = tasks && tasks.total > 0 ? `${formatCount(tasks.done)} of ${formatCount(tasks.total)} tasks` : "";
  const name = first ? `${percent(first.share)} of all tables` : count === "" ? stages.join(", ") : count;
  if (name === "") return undefined;
  const named = running.slice(0, NAMED).map(describe);
  const more = running.length - named.length;
  const details = [
    ...data.map((one) => factsOfData(one)[0]),
    ...(first && count !== "" ? [count] : []),
    [...named, ...(more > 0 ? [`and ${formatCount(more)} more`] : [])].join(", "),
  ];
  return logLine(style, time, first ? labelOf(first.kind) : "ALL", "PROGRESS", name, details.filter((text) => text !== "").join("; "));
}

function describe(task: RunningView): string {
  const phase = task.build ? [factsOf(task).at(-1)] : [];
  return [labelOf(task.kind), shownName(task.object), ...phase, ...(task.share === undefined ? [] : [percent(task.share)])].join(" ");
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}
