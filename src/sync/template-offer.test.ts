import { expect, test } from "vitest";

import { renderOffer } from "./template-offer.ts";

test.each([
  [0, "there are none now."],
  [1, "there is 1 session now."],
  [2, "there are 2 sessions now."],
])("the offer says how long, and that %d sessions are in the way", (sessions, now) => {
  const text = renderOffer({ sessions, bytes: 3 * 1024 ** 3, estimatedMs: 75_000 });
  expect(text).toMatch(/^Same server: --strategy template copies 3\.0G of files, in about 1m 15s/);
  expect(text.endsWith(now)).toBe(true);
});
