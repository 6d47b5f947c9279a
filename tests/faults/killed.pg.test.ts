import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attack, type Outcome } from "./attack.ts";
import { type Bench, openBench, type Trial } from "./bench.ts";
import { FULL, places, TEST_MS } from "./form.ts";
import { expectPromises } from "./promises.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => await bench?.[Symbol.asyncDispose]());

const SWITCH = new URL("kill-at.mjs", import.meta.url).href;

interface Switch {
  at: number;
  when: "before" | "after";
  /** Counts only what matches. */
  match?: string;
  args?: readonly string[];
}

/** A run that is killed at a side effect; without `at` it only counts them, one line each in the trial's folder. */
async function killedAt(trial: Trial, { at, when, match, args = [] }: Switch): Promise<Outcome & { effects: string[] }> {
  const log = join(trial.folder, "..", `effects-${trial.name}`);
  const env = {
    NODE_OPTIONS: `--import ${SWITCH}`,
    PGDITTO_FAULT_PORT: String(bench.target.port),
    PGDITTO_FAULT_AT: String(at),
    PGDITTO_FAULT_WHEN: when,
    PGDITTO_FAULT_LOG: log,
    ...(match !== undefined && { PGDITTO_FAULT_MATCH: match }),
  };
  const outcome = await attack(trial, { env, args: ["--yes", "--json", ...args] });
  const effects = (await readFile(log, "utf8")).trimEnd().split("\n");
  return { ...outcome, effects };
}

describe("row 1: SIGKILL at a side effect", () => {
  test("at each, before and after it was sent, until a run ends clean", { timeout: TEST_MS }, async () => {
    const count = await countEffects();
    const failures: string[] = [];
    const live = new Set<string>();
    for (const when of ["before", "after"] as const) {
      // in full form up to the first run that is not hit any more; how many effects there are differs by a few from run to run
      for (const at of FULL ? upwards() : places(count - 5, 2)) {
        await using trial = await bench.trial();
        const killed = await killedAt(trial, { at, when });
        if (killed.code === 0 && FULL) break;
        try {
          live.add(await expectPromises(trial, killed, { exit: "SIGKILL" }));
        } catch (error) {
          const { actual, expected } = error as { actual?: unknown; expected?: unknown };
          const what = killed.effects.at(-1)?.slice(0, 100) ?? "";
          failures.push(`${when} ${at}, ${what}: ${String(error)} ${JSON.stringify({ actual, expected }).slice(0, 2000)}`);
          // the full form takes long: not only at its end
          console.error(failures.at(-1));
        }
      }
    }
    expect(failures).toEqual([]);
    expect([...live]).toContain("old");
  });

  // row 14: the renames are one transaction, and what comes behind them is tidying up
  test.each([
    { what: "the renames", match: "ALTER DATABASE .* RENAME", when: "before", live: "old" },
    { what: "the renames", match: "ALTER DATABASE .* RENAME", when: "after", live: "either" },
    { what: "the removal of the old database", match: "DROP DATABASE", when: "before", live: "new" },
    { what: "the removal of the old database", match: "DROP DATABASE", when: "after", live: "new" },
  ] as const)("in the swap, $when $what: old or new, never neither", async ({ match, when, live }) => {
    for (const keep of [false, true]) {
      if (keep && match === "DROP DATABASE") continue; // there is nothing to remove then
      await using trial = await bench.trial();
      const outcome = await killedAt(trial, { at: 1, when, match, args: keep ? ["--keep-previous"] : [] });
      await expectPromises(trial, outcome, { exit: "SIGKILL", live });
    }
  });
});

/** Of a run that nobody kills. */
async function countEffects(): Promise<number> {
  await using trial = await bench.trial();
  const { effects, ...outcome } = await killedAt(trial, { at: 0, when: "before" });
  await expectPromises(trial, outcome, { exit: [0] });
  return effects.length;
}

function* upwards(): Generator<number> {
  for (let n = 1; ; n += 1) yield n;
}
