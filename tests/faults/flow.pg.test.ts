import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { proxyTo, type Weather } from "../support/proxy.ts";
import { attack, type Outcome } from "./attack.ts";
import { type Bench, openBench, type Trial } from "./bench.ts";
import { FULL, TEST_MS } from "./form.ts";
import { expectPromises } from "./promises.ts";

/** Megabytes of the one large table; on the wire as many, for they hold nothing that could be pressed together. */
const MEGABYTES = FULL ? 128 : 96;
const SHAPES = `CREATE TABLE words (i int PRIMARY KEY, word text); INSERT INTO words SELECT n, md5(n::text) FROM generate_series(1, 300) n;
  CREATE INDEX ON words (word); CREATE VIEW longest AS SELECT max(length(word)) FROM words; SELECT lo_from_bytea(77, '\\x00ff00');`;

describe("row 8", () => {
  let [small, large]: Bench[] = [];
  beforeAll(async () => {
    small = FULL ? await openBench() : await openBench(SHAPES);
    large = await openBench(`${SHAPES} CREATE TABLE heavy (i int, filler text); ALTER TABLE heavy ALTER filler SET STORAGE EXTERNAL;
      INSERT INTO heavy SELECT n, repeat(md5(n::text), 1024) FROM generate_series(1, ${MEGABYTES * 32}) n`);
  });
  afterAll(async () => {
    for (const bench of [small, large]) await bench?.[Symbol.asyncDispose]();
  });

  async function inWeather(
    bench: Bench,
    trial: Trial,
    side: "source" | "target",
    weather: Weather,
  ): Promise<Outcome & { packets: number }> {
    await using network = await proxyTo(side === "source" ? bench.sourceUrl : trial.url, undefined, undefined, weather);
    const outcome = await attack(trial, { [`${side}Url`]: network.url, limitMs: FULL ? 1_200_000 : 90_000 });
    const bytes = network.passed.fromServer + network.passed.toServer;
    if (weather.slice === 1) expect(network.packets).toBe(bytes);
    return { ...outcome, packets: network.packets };
  }

  test.each(["source", "target"] as const)("packets of a single byte on the way to the %s", { timeout: TEST_MS }, async (side) => {
    if (small === undefined) return;
    await using trial = await small.trial();
    await expectPromises(trial, await inWeather(small, trial, side, { slice: 1 }), { exit: [0] });
  });

  // a network that holds back must be felt by the other side; whatever pgditto put away meanwhile would show here
  test.each(["source", "target"] as const)(
    "slow on the way to the %s: memory does not grow with the rows",
    { timeout: TEST_MS },
    async (side) => {
      if (small === undefined || large === undefined) return;
      await using little = await small.trial();
      const base = await attack(little);
      await expectPromises(little, base, { exit: [0] });
      await using trial = await large.trial();
      const outcome = await inWeather(large, trial, side, { bytesPerSecond: (FULL ? 1 : 48) * 1024 * 1024, slice: 64 * 1024 });
      await expectPromises(trial, outcome, { exit: [0] });
      // one socket's buffers, and what the collector has not taken yet
      expect(outcome.peakKb - base.peakKb).toBeLessThan(60 * 1024);
    },
  );
});
