import { expect, test } from "vitest";

import { loadingSettings } from "./loading-settings.ts";

const MB = 1024 * 1024;
const memory = (sharedBuffers: number, workMem = 4) => ({
  sharedBuffers: sharedBuffers * MB,
  workMem: workMem * MB,
});

test.each([
  ["a small server keeps its own", memory(128), 4, 4 * 1024],
  ["1 GB of shared buffers, two sessions", memory(1024), 2, 64 * 1024],
  ["64 GB: no more than 64 MB each", memory(65_536), 4, 64 * 1024],
  ["what the server gives is not taken back", memory(1024, 512), 4, 512 * 1024],
])("%s", (_what, have, sessions, work) => {
  const sql = loadingSettings({ lz4: false, memory: have }, sessions);
  expect(sql).toBe(`SET work_mem = '${work}kB'; SET synchronize_seqscans = on`);
});

test("lz4 where the server has it", () => {
  expect(loadingSettings({ lz4: true, memory: memory(128) }, 1)).toContain("SET default_toast_compression = lz4");
});
