import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { differenceOf } from "./check.mjs";
import { runCommand } from "./measure/run-command.mjs";
import { sql } from "./sql.mjs";

/**
 * A B C, B C A, …: what slows the machine down for a while slows all of them, and what the one before leaves behind (a file system that has just
 * given blocks back, say) meets each of them. Resolves with the results of each contender.
 */
export async function runRounds(contenders, place, { runs, timeout, check }, tell) {
  const results = new Map(contenders.map((contender) => [contender, []]));
  for (let turn = 1; turn <= runs; turn += 1) {
    const first = (turn - 1) % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const result = await runOnce(contender, place, { timeout, check });
      results.get(contender).push(result);
      tell(contender, turn, result);
    }
  }
  return results;
}

async function runOnce(contender, place, { timeout, check }) {
  const folder = join(place.work, "run");
  await mkdir(folder);
  try {
    await place.servers.settle();
    if (contender.intoEmpty) await sql(place.maintenance, "CREATE DATABASE copy TEMPLATE template0");
    await contender.prepare?.();
    const before = place.servers.cpu();
    const ran = await runCommand(contender.command, { env: environment(place), cwd: folder, timeoutSeconds: timeout });
    const after = place.servers.cpu();
    const cpu = { client: ran.cpu, source: minus(after.source, before.source), target: minus(after.target, before.target) };
    const measured = { seconds: ran.seconds, cpu, peak: ran.peak, figures: figuresOf(ran.stdout) };
    if (ran.code !== 0) return { ...measured, failed: `ended with ${ran.code}`, tail: tailOf(ran) };
    const difference = check && contender.pgditto ? await differenceOf(place) : undefined;
    return difference === undefined ? measured : { ...measured, failed: "the copy differs", tail: difference };
  } finally {
    await place.servers.settle();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Nothing of whoever started the bench reaches a contender: no PGHOST, no configuration. The clients are those of the servers. */
function environment({ clients }) {
  const { PATH = "", HOME, TMPDIR } = process.env;
  const given = Object.entries({ HOME, TMPDIR }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), PATH: clients === undefined ? PATH : `${clients}:${PATH}`, LC_ALL: "C.UTF-8" };
}

function minus(after, before) {
  return after === undefined || before === undefined ? undefined : after - before;
}

/** What a program measured by itself: a JSON object in its last line. */
function figuresOf(stdout) {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  return last.startsWith("{") ? JSON.parse(last) : {};
}

function tailOf({ stdout, stderr }) {
  return `${stdout}\n${stderr}`.trim().split("\n").slice(-15).join("\n");
}
