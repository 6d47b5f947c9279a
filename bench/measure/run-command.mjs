import { spawn } from "node:child_process";

import { cpuOf, hasProc, peakOf, treeOf } from "./proc.mjs";

/** Often enough for a process that lives for seconds, and rare enough to cost the contender nothing: about 0.3 ms each. */
const SAMPLE_MS = 100;

let running;

/**
 * Runs a shell command. Resolves with wall seconds, CPU seconds and peak memory (MiB) of all its processes, its exit code, and what it
 * wrote last, however it ended.
 */
export async function runCommand(command, { env, cwd, timeoutSeconds }) {
  const cpuBefore = endedChildrenCpu();
  const started = process.hrtime.bigint();
  // a process group of its own, so that all of it can be ended at once
  const child = spawn("bash", ["-o", "pipefail", "-c", command], { env, cwd, stdio: ["ignore", "pipe", "pipe"], detached: true });
  running = child.pid;
  const output = collect(child);
  let peak = 0;
  // VmHWM, not VmRSS: a peak between two samples is seen as long as its process lives at the second
  const sampler = setInterval(() => (peak = Math.max(peak, sum(treeOf(child.pid).map(peakOf)))), SAMPLE_MS);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killRunning();
  }, timeoutSeconds * 1000);
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  clearInterval(sampler);
  clearTimeout(timer);
  running = undefined;
  return {
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    cpu: hasProc ? endedChildrenCpu() - cpuBefore : undefined,
    peak: hasProc ? peak : undefined,
    code: late ? `timeout of ${timeoutSeconds} s` : code,
    ...output,
  };
}

/** Ends the command that runs now, with everything it started. */
export function killRunning() {
  if (running === undefined) return;
  try {
    process.kill(-running, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

/** The kernel adds a process's times, and those of the children it waited for, to its parent's when the parent waits for it. */
function endedChildrenCpu() {
  return hasProc ? cpuOf(process.pid).children : undefined;
}

/** The last 4,000 characters of each stream. */
function collect(child) {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (chunk) => {
      output[name] = (output[name] + chunk).slice(-4000);
    });
  }
  return output;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
