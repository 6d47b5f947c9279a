import { expect, test } from "vitest";

import type { SyncEventBody } from "../events.ts";
import { stage } from "./run.ts";

test("a stage tells when it begins and ends, and whether it failed; its value and its error pass", async () => {
  const events: SyncEventBody[] = [];
  const run = { emit: (event: SyncEventBody) => void events.push(event) };
  expect(await stage(run, "plan", () => 7)).toBe(7);
  await expect(stage(run, "swap", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(events).toEqual([
    { type: "stage:started", stage: "plan" },
    { type: "stage:done", stage: "plan", ms: expect.any(Number), failed: false },
    { type: "stage:started", stage: "swap" },
    { type: "stage:done", stage: "swap", ms: expect.any(Number), failed: true },
  ]);
});
