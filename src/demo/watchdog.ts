import { spawn } from "node:child_process";
import { once } from "node:events";
import { platform } from "node:os";
import type { RunUser } from "./run-user.ts";

/**
 * A shell that waits on a pipe from us. A line means: stand down. End of file means that our process is gone, whatever
 * ended it, SIGKILL included: then it stops the server whose data lie in the folder, and removes the folder.
 * The pid comes from postmaster.pid, and the process must name our folder in its arguments, for a pid can be used again.
 */
const SCRIPT = `
dir=$1
if read -r _; then exit 0; fi
file=$dir/data/postmaster.pid
pid=
[ -r "$file" ] && read -r pid < "$file"
case $pid in ''|*[!0-9]*) pid= ;; esac
if [ -n "$pid" ] && { tr '\\0' ' ' < "/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2>/dev/null | grep -qF -- "$dir"; then
  kill -QUIT "$pid"
  n=0
  while [ $n -lt 80 ] && [ -e "$file" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; n=$((n+1)); done
  [ -e "$file" ] && kill -KILL "$pid" 2>/dev/null
fi
rm -rf -- "$dir"
sleep 1
rm -rf -- "$dir"
`;

export interface Watchdog {
  /** Ends the watch without touching the server. */
  standDown(): Promise<void>;
}

/** Watches over one cluster folder. Windows has no /bin/sh: there a server outlives a process that was killed. */
export function startWatchdog(folder: string, user: RunUser | undefined): Watchdog {
  if (platform() === "win32") return { standDown: async () => {} };
  const child = spawn("/bin/sh", ["-c", SCRIPT, "pgditto-watchdog", folder], {
    // Its own session: the Ctrl+C that ends us must not end the watchdog.
    detached: true,
    cwd: "/",
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    stdio: ["pipe", "ignore", "ignore"],
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  child.unref();
  const exited = once(child, "exit");
  exited.catch(() => {});
  // The pipe alone must not keep a finished program alive.
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return {
    async standDown() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.ref();
      child.stdin.end("stand down\n");
      await exited;
    },
  };
}
