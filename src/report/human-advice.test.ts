import { expect, test } from "vitest";

import type { SyncEventBody } from "../events.ts";
import { humanReporter } from "./human.ts";

function summary(bodies: readonly SyncEventBody[]): string[] {
  const lines: string[] = [];
  const report = humanReporter({ out: (line) => lines.push(line), err: () => undefined, colours: false, clock: () => "02:00:00" });
  for (const body of bodies) report({ ...body, run: "tf3k2a9x0z", at: 0, time: "2026-07-01T00:00:00.000Z" });
  return lines;
}

const DONE: SyncEventBody = { type: "run:done", tables: 0, rows: 0, bytes: 0, ms: 0, warnings: 0, database: "a" };

test("advice stands in the summary, each with how to follow it, and moves no cursor", () => {
  const lines = summary([
    { type: "advice", setting: "max_wal_size", value: "1GB", better: "8GB", message: "6 checkpoints.", fix: "ALTER SYSTEM" },
    { type: "advice", setting: "maintenance_work_mem", value: "64MB", better: "1GB", message: "The index\n\u001B[2J.", fix: "ALTER ROLE" },
    DONE,
  ]);
  expect(lines.slice(lines.indexOf("  Warnings : 0") + 1)).toEqual([
    "",
    "  What the target's settings cost:",
    "  max_wal_size = 1GB, better 8GB",
    "    6 checkpoints.",
    "    ALTER SYSTEM",
    "  maintenance_work_mem = 64MB, better 1GB",
    "    The index\\n [2J.",
    "    ALTER ROLE",
    "=".repeat(80),
  ]);
});

test("without advice there is no heading, and stages are not told of", () => {
  const alone = summary([DONE]);
  expect(alone.join("\n")).not.toContain("cost");
  expect(summary([{ type: "stage:started", stage: "swap" }, { type: "stage:done", stage: "swap", ms: 5, failed: false }, DONE])).toEqual(
    alone,
  );
});
