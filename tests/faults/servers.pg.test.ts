import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { until } from "../support/cli-run.ts";
import { hasPrograms, NO_PROGRAMS } from "../support/dumps.ts";
import { sql } from "../support/sql.ts";
import { attack, type Outcome } from "./attack.ts";
import { type Bench, openBench, type Trial } from "./bench.ts";
import { FULL, LOST_SNAPSHOT_EXITS, SILENCE_EXIT, TEST_MS } from "./form.ts";
import { expectPromises } from "./promises.ts";

/** Works, where a copy is filled, for some 50 ms. */
const BUSY = `CREATE FUNCTION public.busy() RETURNS bool LANGUAGE plpgsql AS $$BEGIN
  IF current_database() ~ '__pgditto_' THEN PERFORM pg_catalog.count(*) FROM pg_catalog.generate_series(1, 200000); END IF; RETURN true; END$$;`;

let bench: Bench;
beforeAll(async () => {
  // rows of many kilobytes, so that they cannot all be on their way at once
  bench = await openBench(`${BUSY} CREATE TABLE big (i int PRIMARY KEY CHECK (i % 125 <> 0 OR busy()), filler text);
    ALTER TABLE big ALTER filler SET STORAGE EXTERNAL;
    INSERT INTO big SELECT n, repeat(md5(n::text), 200) FROM generate_series(1, 5000) n;
    CREATE INDEX ON big (md5(filler)); CREATE TABLE small AS SELECT n FROM generate_series(1, 10) n;`);
});
afterAll(async () => await bench?.[Symbol.asyncDispose]());

type Side = "source" | "target";

/** The server's process that copies the rows of `big` on this side, once it does. */
async function copier(side: Side): Promise<number> {
  const text = side === "source" ? "COPY .*big.* TO STDOUT" : "COPY .*big.* FROM STDIN";
  return await until(async () => {
    const rows = await sql(
      bench[side].url("postgres"),
      "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^pgditto' AND query ~* $1 AND state = 'active'",
      [text],
    );
    // never 0: to kill that is to kill one's own process group
    return rows[0] === undefined ? undefined : Number(rows[0]["pid"]);
  }, 30_000);
}

/** The server is itself again; it has been down for a moment. */
async function awake(server: Cluster): Promise<void> {
  await until(() => sql(server.url("postgres"), "SELECT 1").catch(() => undefined));
}

describe("row 4: a server's process is killed", () => {
  test.each([
    ["source", LOST_SNAPSHOT_EXITS],
    ["target", [0]],
  ] as const)("kill -9 of a backend of the %s, which takes the whole server down for a moment", async (side, exit) => {
    await using trial = await bench.trial();
    const outcome = await attack(trial, {
      during: async () => {
        process.kill(await copier(side), "SIGKILL");
      },
    });
    await awake(bench[side]);
    await expectPromises(trial, outcome, { exit });
  });

  test("the target is stopped at once, and started some seconds later", { timeout: TEST_MS }, async () => {
    await using trial = await bench.trial();
    const outcome = await attack(trial, {
      env: { RETRY_COUNT: "5" },
      during: async () => {
        await copier("target");
        await bench.target.stop("immediate");
        await sleep(FULL ? 10_000 : 3000);
        await bench.target.start();
      },
    });
    await expectPromises(trial, outcome, { exit: [0] });
  });
});

describe("row 6: a server's process stands still", () => {
  /** A run during which a process is stopped; it goes on when the run has ended, as after a debugger or a frozen container. */
  async function stopped(trial: Trial, find: () => Promise<number>, args: readonly string[] = []): Promise<Outcome> {
    let pid = 0;
    try {
      return await attack(trial, {
        args: ["--yes", "--json", "--stall-timeout", "3", ...args],
        limitMs: 45_000,
        during: async () => {
          pid = await find();
          process.kill(pid, "SIGSTOP");
        },
      });
    } finally {
      if (pid > 0) process.kill(pid, "SIGCONT");
    }
  }

  test.each(["source", "target"] as const)("SIGSTOP of the backend that copies on the %s", { timeout: TEST_MS }, async (side) => {
    await using trial = await bench.trial();
    const outcome = await stopped(trial, () => copier(side));
    await expectPromises(trial, outcome, { exit: [SILENCE_EXIT], mayLeave: true });
  });

  test("SIGSTOP of the backend that pg_restore copies to", { timeout: TEST_MS }, async ({ skip }) => {
    if (!(await hasPrograms())) return skip(NO_PROGRAMS);
    await using trial = await bench.trial();
    const outcome = await stopped(trial, () => copier("target"), ["--via", "dump", "--dump-dir", join(trial.folder, "d")]);
    expect(outcome.stdout).toContain("Nothing of a copy has moved");
    // a run through a folder begins anew
    await expectPromises(trial, outcome, { exit: [1], mayLeave: true });
    expect(await readdir(trial.folder)).toEqual([]);
  });
});

test("the bench's servers are as they were", async () => {
  for (const side of ["source", "target"] as const)
    expect(await sql(bench[side].url("postgres"), "SELECT pg_is_in_recovery() AS down")).toEqual([{ down: false }]);
});
