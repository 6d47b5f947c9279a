import { expect, test } from "vitest";

import { usefulStreams } from "./streams.ts";

test.each([
  ["two cores for both servers: one table at a time", "localhost", "127.0.0.1", 2, 1],
  ["eight cores for both", "/run/postgresql", "::1", 8, 4],
  ["many cores: as many as were asked for", "localhost", "here", 64, 6],
  ["one of them elsewhere", "localhost", "db.example.com", 2, 6],
  ["both elsewhere", "10.0.0.1", "10.0.0.2", 2, 6],
  ["a single core", "localhost", "localhost", 1, 1],
])("%s", (_what, source, target, cores, streams) => {
  const config = { jobs: 3, batchSize: 2, source: { host: source }, target: { host: target } };
  const machine = { cores, hostname: "here" };
  expect(usefulStreams({ config, machine } as Parameters<typeof usefulStreams>[0])).toBe(streams);
});
