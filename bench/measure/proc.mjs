// What Linux tells of processes. Elsewhere there is no /proc, and these columns stay empty.
import { existsSync, readdirSync, readFileSync } from "node:fs";

export const hasProc = existsSync("/proc/self/stat");

/** USER_HZ: what /proc counts in, 100 a second on every platform that Node runs on. */
const TICKS = 100;

/** CPU seconds, user and system, of a process and of its children that have ended and were waited for; undefined once it is gone. */
export function cpuOf(pid) {
  // the second field is the program's name and may hold anything, so fields are counted from its closing bracket: 14 to 17 are the times
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return undefined;
  const [own, ownSystem, children, childrenSystem] = fields.slice(11, 15).map((ticks) => Number(ticks) / TICKS);
  return { own: own + ownSystem, children: children + childrenSystem };
}

/** Peak resident memory of a process so far, in MiB; 0 once it is gone. */
export function peakOf(pid) {
  return Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? 0) / 1024;
}

/** A process and all its descendants that are there now. Children belong to the thread that started them, so all threads are asked. */
export function treeOf(pid) {
  const found = [pid];
  for (const parent of found) found.push(...childrenOf(parent));
  return found;
}

export function childrenOf(pid) {
  return list(`/proc/${pid}/task`).flatMap((thread) => {
    const text = read(`/proc/${pid}/task/${thread}/children`)?.trim() ?? "";
    return text === "" ? [] : text.split(" ").map(Number);
  });
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // it has ended meanwhile
  }
}

function list(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
