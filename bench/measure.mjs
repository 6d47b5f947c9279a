import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** Runs a shell command; resolves with wall seconds, and the peak memory (MiB) of the process that `track` finds in its arguments. */
export async function measure(command, { env = {}, track } = {}) {
  const started = process.hrtime.bigint();
  const child = spawn("bash", ["-o", "pipefail", "-c", command], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output = (output + chunk).slice(-4000);
    });
  }
  let peak = 0;
  const timer = track ? setInterval(() => (peak = Math.max(peak, peakOf(child.pid))), 50) : undefined;
  const code = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command}\nended with ${code}:\n${output}`);
  return { seconds: Number(process.hrtime.bigint() - started) / 1e9, peak };
}

function peakOf(pid) {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
