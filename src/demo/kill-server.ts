import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { kill } from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Ends a server as a loss of power would. To kill the postmaster alone is not enough: a child that is just starting may
 * miss its death, live on for up to a minute and keep the data from being opened again (measured with 14.23).
 */
export async function killServer(postmaster: number): Promise<void> {
  if (platform() === "win32") return send(postmaster, "SIGKILL");
  // Stopped, it cannot start children that we would not see.
  send(postmaster, "SIGSTOP");
  const children = await childrenOf(postmaster);
  send(postmaster, "SIGKILL");
  for (const child of children) send(child, "SIGKILL");
}

async function childrenOf(parent: number): Promise<number[]> {
  const pairs = platform() === "linux" ? await fromProc() : await fromPs();
  return pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid);
}

/** Slim images of Linux have no ps. */
async function fromProc(): Promise<[pid: number, ppid: number][]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  return await Promise.all(
    pids.map(async (pid): Promise<[number, number]> => {
      // `pid (name) state ppid …`, and the name may hold parentheses.
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      return [Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])];
    }),
  );
}

async function fromPs(): Promise<[pid: number, ppid: number][]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=", "-o", "ppid="]);
  return stdout.split("\n").map((line) => {
    const [pid = Number.NaN, ppid = Number.NaN] = line.trim().split(/\s+/).map(Number);
    return [pid, ppid];
  });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
