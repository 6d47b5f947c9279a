import { expect, test } from "vitest";

import { copyRate } from "./copy-rate.ts";

test("what came in is spread over the time it took, added up, and ends at zero", () => {
  const rate = copyRate();
  rate.add(0, 1000, 1_000_000);
  rate.add(500, 1000, 1_000_000);
  expect(rate.points()).toEqual([
    { at: 0, bytesPerSecond: 1_000_000 },
    { at: 500, bytesPerSecond: 3_000_000 },
    { at: 1000, bytesPerSecond: 0 },
  ]);
});

test("a moment, a part of a step, and a clock that seems to run backwards lose no bytes", () => {
  const rate = copyRate();
  rate.add(300, 300, 100);
  rate.add(310, 390, 100);
  rate.add(400, 399, 50);
  expect(rate.points()).toEqual([
    { at: 250, bytesPerSecond: 1000 },
    { at: 500, bytesPerSecond: 0 },
  ]);
});

test("nothing moved: no curve", () => {
  expect(copyRate().points()).toEqual([]);
});

test("a day is drawn with as many points as a minute, and all its bytes", () => {
  const rate = copyRate();
  const hours = 24;
  const end = hours * 3_600_000;
  for (let at = 0; at < end; at += 1000) rate.add(at, at + 1000, (at / 1000) % 7 === 0 ? 0 : 1_000_000);
  const points = rate.points();
  expect(points.length).toBeGreaterThan(100);
  expect(points.length).toBeLessThanOrEqual(2001);
  const sum = points.reduce((bytes, { at, bytesPerSecond }, i) => bytes + (bytesPerSecond * ((points[i + 1]?.at ?? at) - at)) / 1000, 0);
  expect(sum / (hours * 3600 * 1e6 * (6 / 7))).toBeCloseTo(1, 3);
});
