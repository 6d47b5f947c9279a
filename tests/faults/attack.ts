import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CliResult, type RunningCli, startCli } from "../support/run-cli.ts";
import type { Trial } from "./bench.ts";
import { RUN_MS } from "./form.ts";

export interface Attack {
  /** More than `--yes --json`, or another command. */
  args?: readonly string[];
  /** Through a proxy, or as another role; default: the bench's own. */
  sourceUrl?: string;
  targetUrl?: string;
  env?: Readonly<Record<string, string>>;
  /** Does the damage; the run is awaited all the same. */
  during?: (cli: RunningCli) => Promise<void>;
  /** Milliseconds; default `RUN_MS`. A run that takes longer fails the test: no wait is without a bound. */
  limitMs?: number;
}

export interface Outcome extends CliResult {
  pid: number;
  /** Arguments and environments of the run and its children, and the small files in its temporary folder, as seen while it lasted. */
  seen: string;
  /** Kilobytes that the process had in memory at its most. */
  peakKb: number;
}

/** Runs pgditto on a trial's target, does something to it, and watches what others could see of it. */
export async function attack(trial: Trial, how: Attack = {}): Promise<Outcome> {
  const env = {
    MAIN_DB_URL: how.sourceUrl ?? trial.bench.sourceUrl,
    ARCHIVE_DB_URL: how.targetUrl ?? trial.url,
    TMPDIR: trial.folder,
    ...how.env,
  };
  await using cli = await startCli(how.args ?? ["--yes", "--json"], { env, timeoutMs: how.limitMs ?? RUN_MS });
  const seen = new Set<string>();
  let peakKb = 0;
  let over = false;
  const watching = (async () => {
    while (!over) {
      peakKb = Math.max(peakKb, await look(cli.pid, trial.folder, seen));
      await sleep(30);
    }
  })();
  try {
    const damage = how.during?.(cli) ?? Promise.resolve();
    const result = await cli.result;
    await damage;
    return { ...result, pid: cli.pid, seen: [...seen].join("\n"), peakKb };
  } finally {
    over = true;
    await watching;
  }
}

/** Adds what can be seen of the process, and tells its peak of memory so far, in kilobytes. */
async function look(pid: number, folder: string, seen: Set<string>): Promise<number> {
  const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const own = await read(`/proc/${pid}/cmdline`);
  seen.add(own);
  for (const child of await childrenOf(pid)) {
    const cmdline = await read(`/proc/${child}/cmdline`);
    // between fork and exec a child shows its parent's memory, and so the variables that the user gave to pgditto
    if (cmdline !== own) seen.add(cmdline).add(await read(`/proc/${child}/environ`));
  }
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []))
    seen.add(entry.name).add(entry.isFile() ? await read(join(entry.parentPath, entry.name)) : "");
  return Number(/VmHWM:\s+(\d+)/.exec(await read(`/proc/${pid}/status`))?.[1] ?? 0);
}

async function childrenOf(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")));
  const children = lists.join(" ").split(/\s+/).filter(Boolean);
  return [...children, ...(await Promise.all(children.map((child) => childrenOf(Number(child))))).flat()];
}
