import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Direction, proxyTo, type Weather } from "../support/proxy.ts";
import { attack, type Outcome } from "./attack.ts";
import { type Bench, openBench, type Trial } from "./bench.ts";
import { FULL, places, SILENCE_EXIT, TEST_MS } from "./form.ts";
import { expectPromises } from "./promises.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => await bench?.[Symbol.asyncDispose]());

type Side = "source" | "target";

interface Weathered extends Outcome {
  passed: Readonly<Record<Direction, number>>;
  packets: number;
  struck: boolean;
}

/** A run with one of the servers behind a bad network. */
async function through(side: Side, trial: Trial, weather: Weather, args: readonly string[] = []): Promise<Weathered> {
  const behind = side === "source" ? bench.sourceUrl : trial.url;
  await using network = await proxyTo(behind, undefined, undefined, weather);
  const outcome = await attack(trial, { args: ["--yes", "--json", ...args], [`${side}Url`]: network.url });
  return { ...outcome, passed: { ...network.passed }, packets: network.packets, struck: network.struck };
}

const clean = new Map<Side, Readonly<Record<Direction, number>>>();

/** What passes in a run that nothing happens to, in each direction. */
async function measure(side: Side): Promise<Readonly<Record<Direction, number>>> {
  const known = clean.get(side);
  if (known) return known;
  await using trial = await bench.trial();
  const outcome = await through(side, trial, {});
  await expectPromises(trial, outcome, { exit: [0] });
  clean.set(side, outcome.passed);
  return outcome.passed;
}

const WAYS: ReadonlyArray<[Side, Direction]> = [
  ["source", "fromServer"],
  ["source", "toServer"],
  ["target", "fromServer"],
  ["target", "toServer"],
];

/** The fault after so many bytes, at places over the whole run; tells where a promise was broken. */
async function overTheRun(
  [side, direction]: [Side, Direction],
  fault: "reset" | "freeze",
  few: number,
  judge: (trial: Trial, outcome: Weathered) => Promise<unknown>,
  args: readonly string[] = [],
): Promise<string[]> {
  const { [direction]: all } = await measure(side);
  const failures: string[] = [];
  // the last bytes are those of the farewell
  for (const bytes of places(all, few + 1, 40).slice(0, -1)) {
    await using trial = await bench.trial();
    const outcome = await through(side, trial, { at: { bytes, direction, fault } }, args).catch((error: unknown) => error as Error);
    try {
      if (outcome instanceof Error) throw outcome;
      if (!outcome.struck) continue;
      await judge(trial, outcome);
    } catch (error) {
      const stage = outcome instanceof Error ? "" : (outcome.stdout.match(/"(?:stage|kind)":"[\w-]+"/g)?.at(-1) ?? "");
      const last = outcome instanceof Error ? "" : outcome.stdout.trimEnd().split("\n").at(-1)?.slice(0, 800);
      failures.push(`after ${bytes} of ${all} bytes, at ${stage}: ${String(error).slice(0, 100)} … ${String(error).slice(-500)} ${last}`);
      console.error(failures.at(-1)); // the full form takes long: not only at its end
    }
  }
  return failures;
}

describe("row 5: a connection is reset after N bytes", () => {
  test.each(WAYS)("on the way %s, %s", { timeout: TEST_MS }, async (...way) => {
    expect(await overTheRun(way, "reset", 1, (trial, outcome) => expectPromises(trial, outcome, { exit: [0] }))).toEqual([]);
  });
});

describe("row 6: silence for ever after N bytes", () => {
  // the first and the last in short form: a run that waits for nothing takes its time
  test.each(WAYS.filter((_, i) => FULL || i % 3 === 0))(
    "on the way %s, %s: an end within the bound",
    { timeout: TEST_MS },
    async (...way) => {
      const judge = (trial: Trial, outcome: Weathered): Promise<unknown> =>
        expectPromises(trial, outcome, {
          // while it connects, as whenever a server cannot be reached
          exit: [SILENCE_EXIT, way[0] === "source" ? 4 : 5],
          mayLeave: true,
        });
      expect(await overTheRun(way, "freeze", 1, judge, ["--stall-timeout", "3"])).toEqual([]);
    },
  );
});
