import { afterAll, beforeAll, expect, test } from "vitest";
import { SLOW, until } from "../support/cli-run.ts";
import { sql } from "../support/sql.ts";
import { noTerminal, runInTerminal } from "../support/terminal.ts";
import { attack } from "./attack.ts";
import { type Bench, openBench, type Trial } from "./bench.ts";
import { expectPromises } from "./promises.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench(`${SLOW} CREATE TABLE t (i int PRIMARY KEY CHECK (slow(i, 0.02))); INSERT INTO t SELECT generate_series(1, 60)`);
});
afterAll(async () => await bench?.[Symbol.asyncDispose]());

/** Until rows are on their way. */
async function copying({ bench: { target }, name }: Trial): Promise<void> {
  await until(async () => {
    const busy = "SELECT FROM pg_stat_activity WHERE starts_with(datname, $1 || '__pgditto_') AND query ~ 'COPY .* FROM STDIN'";
    return (await sql(target.url("postgres"), busy, [name])).length > 0;
  });
}

// row 2; what else there is to signals and moments: tests/cli/signals.pg.test.ts
test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s: exit %i, nothing left", async (signal, code) => {
  await using trial = await bench.trial();
  const outcome = await attack(trial, {
    during: async (cli) => {
      await copying(trial);
      cli.kill(signal);
    },
  });
  await expectPromises(trial, outcome, { exit: [code] });
});

test("twice SIGINT: at once, and the next run removes what was left", async () => {
  await using trial = await bench.trial();
  const outcome = await attack(trial, {
    during: async (cli) => {
      await copying(trial);
      // stopped, so that the second is there before the first is through
      for (const signal of ["SIGSTOP", "SIGINT", "SIGHUP", "SIGCONT"] as const) cli.kill(signal);
    },
  });
  expect(["SIGINT", "SIGHUP"]).toContain(outcome.signal);
  await expectPromises(trial, outcome, { exit: outcome.signal ?? "SIGINT", live: "old" });
});

// the kernel tells the terminal's foreground group when the shell dies; whoever it does not tell finds out when he prints
test.skipIf(noTerminal !== undefined).each([true, false])("the terminal is closed, SIGHUP %s: nothing left", async (signalled) => {
  await using trial = await bench.trial();
  const env = { MAIN_DB_URL: bench.sourceUrl, ARCHIVE_DB_URL: trial.url };
  await using terminal = await runInTerminal(["--yes"], { ...env, TMPDIR: trial.folder });
  await copying(trial);
  const [row] = await sql(bench.target.url("postgres"), "SELECT application_name FROM pg_stat_activity WHERE application_name ~ 'control'");
  const pid = Number(/ (\d+)@/.exec(String(row?.["application_name"]))?.[1]);
  await terminal.close();
  if (signalled) process.kill(pid, "SIGHUP");
  const code = await terminal.exitCode();
  await expectPromises(trial, { code, signal: null, stdout: "", stderr: "", pid, seen: "", peakKb: 0 }, { exit: [129], silent: true });
});
