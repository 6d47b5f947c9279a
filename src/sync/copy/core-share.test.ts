import { expect, test } from "vitest";

import { coreShare } from "./core-share.ts";

test.each([
  ["as many tasks as cores", "localhost", 2, 2, 0],
  ["more tasks than cores", "127.0.0.1", 2, 4, 0],
  ["the last one at work", "localhost", 2, 1, 1],
  ["many cores", "/run/postgresql", 16, 4, 3],
  ["a server elsewhere", "db.example.com", 2, 4, undefined],
])("%s", (_what, host, cores, atWork, processes) => {
  const run = { config: { target: { host } }, machine: { cores, hostname: "here" } };
  expect(coreShare(run as Parameters<typeof coreShare>[0], atWork)).toBe(processes);
});
