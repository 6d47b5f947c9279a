import { describe, expect, test } from "vitest";

import { adviseSettings, type LoadWork } from "./advice.ts";
import type { BuiltIndex, TargetLoad } from "./load.ts";

const MB = 1024 ** 2;
const GB = 1024 ** 3;

const BEFORE: TargetLoad = {
  wal: 10 * GB,
  requested: 5,
  syncMs: 1000,
  since: "2026-07-01 00:00:00+00",
  maxWalSize: { text: "1GB", bytes: GB },
  checkpointTimeout: 300,
  completionTarget: 0.9,
  maintenanceWorkMem: { text: "64MB", bytes: 64 * MB },
  maintenanceWorkers: 2,
  parallelWorkers: 8,
};
const AFTER: TargetLoad = { ...BEFORE, wal: BEFORE.wal + 4.1 * GB, requested: 11, syncMs: 31_000 };
const WORK: LoadWork = { bytes: 4 * GB, ms: 84_000, buildMs: 65_000, longestBuildMs: 48_000, connections: 4, largest: undefined };

/** What is advised after a load that wrote 4.1 GB of WAL and forced six checkpoints, unless something differs. */
function advise(after: Partial<TargetLoad> = {}, work: Partial<LoadWork> = {}): string[] {
  return adviseSettings(BEFORE, { ...AFTER, ...after }, { ...WORK, ...work }).map(
    ({ setting, value, better }) => `${setting} ${value} ${better}`,
  );
}

describe("max_wal_size", () => {
  test("what happened, in numbers, what would have been enough, and what it takes", () => {
    expect(adviseSettings(BEFORE, AFTER, WORK)).toEqual([
      {
        setting: "max_wal_size",
        value: "1GB",
        better: "8GB",
        message:
          "6 checkpoints were forced in 1m 24s, while 4.0G of rows came in and 4.1G of WAL was written (by everybody: other work on this server counts too). " +
          "They kept the disk busy with fsync for 30s. With 8GB none would have been forced.",
        fix: "As a superuser: ALTER SYSTEM SET max_wal_size = '8GB'; SELECT pg_reload_conf(); pg_wal grows up to that, so the disk needs the room.",
      },
    ]);
  });

  test("no more than what is written until the next checkpoint comes with time, and never more than anybody has room for", () => {
    const busy = { wal: BEFORE.wal + 400 * GB, requested: 700, syncMs: 9_000_000 };
    // 400 GB in four hours are 8.3 GB in five minutes
    expect(advise(busy, { ms: 4 * 3_600_000 })).toEqual(["max_wal_size 1GB 16GB"]);
    expect(advise(busy, { ms: 600_000 })).toEqual(["max_wal_size 1GB 64GB"]);
    expect(adviseSettings(BEFORE, { ...BEFORE, ...busy }, { ...WORK, ms: 600_000 })[0]?.message).toContain(
      "With 64GB 11 would have been forced.",
    );
  });

  test.each<[string, Partial<TargetLoad>]>([
    ["it was large enough", { maxWalSize: { text: "16GB", bytes: 16 * GB } }],
    ["two are no pattern", { requested: 7 }],
    ["the disk had no trouble with them", { syncMs: 17_000 }],
    ["somebody asked for checkpoints: the WAL does not explain them", { wal: BEFORE.wal + 0.5 * GB }],
    ["the counters began anew", { since: "2026-07-01 02:00:00+00" }],
    ["the counters went back", { requested: 0 }],
  ])("nothing: %s", (_, after) => {
    expect(advise(after)).toEqual([]);
  });
});

describe("indexes", () => {
  const quiet = { requested: BEFORE.requested };
  const INDEX: BuiltIndex = { schema: "public", name: "orders_pkey", method: "btree", bytes: 2 * GB, temporaryBytes: 2.5 * GB };
  const memory = (text: string): Partial<TargetLoad> => ({
    maintenanceWorkMem: { text, bytes: Number.parseInt(text, 10) * (text.endsWith("GB") ? GB : MB) },
  });

  test.each<[string, Partial<TargetLoad>, Partial<BuiltIndex>, string[]]>([
    ["the default merges 15 GB in one pass", {}, { bytes: 15 * GB, temporaryBytes: 20 * GB }, []],
    [
      "a larger one needs a little more, not as much as it has",
      {},
      { bytes: 40 * GB, temporaryBytes: 40 * GB },
      ["maintenance_work_mem 64MB 128MB"],
    ],
    ["little memory", memory("16MB"), {}, ["maintenance_work_mem 16MB 32MB"]],
    ["next to none", memory("1MB"), { bytes: 300 * MB }, ["maintenance_work_mem 1MB 16MB"]],
    ["a sort that did not spill", memory("16MB"), { temporaryBytes: 0 }, []],
    ["a small one", memory("1MB"), { bytes: 200 * MB }, []],
    ["GIN wants more, and leaves no temporary files", {}, { method: "gin", temporaryBytes: 0 }, ["maintenance_work_mem 64MB 256MB"]],
    ["GIN with enough", memory("256MB"), { method: "gin", temporaryBytes: 0 }, []],
    ["GIN, no more than anybody has", memory("1GB"), { method: "gin", bytes: 90 * GB, temporaryBytes: 0 }, []],
    ["no helpers", { maintenanceWorkers: 0 }, {}, ["max_parallel_maintenance_workers 0 2"]],
    ["no helpers for anything", { parallelWorkers: 0, maintenanceWorkers: 0 }, {}, ["max_parallel_workers 0 8"]],
    ["helpers would not help", { maintenanceWorkers: 0 }, { method: "gist" }, []],
    ["no helpers, small", { maintenanceWorkers: 0 }, { bytes: 100 * MB }, []],
    ["both", { ...memory("16MB"), maintenanceWorkers: 0 }, {}, ["maintenance_work_mem 16MB 32MB", "max_parallel_maintenance_workers 0 2"]],
  ])("%s", (_, after, index, expected) => {
    expect(advise({ ...quiet, ...after }, { largest: { ...INDEX, ...index } })).toEqual(expected);
  });

  test("nothing when no build took long, by itself or for the run, or there was none", () => {
    const poor = { ...quiet, ...memory("16MB"), maintenanceWorkers: 0 };
    expect(advise(poor, { largest: INDEX, longestBuildMs: 9000 })).toEqual([]);
    expect(advise(poor, { largest: INDEX, ms: 3_600_000 })).toEqual([]);
    expect(advise(poor)).toEqual([]);
  });

  test("say which, how long, why, and what it takes", () => {
    const [btree, workers] = adviseSettings(BEFORE, { ...BEFORE, ...memory("16MB"), maintenanceWorkers: 0 }, { ...WORK, largest: INDEX });
    const built = "Building indexes took 1m 05s of work in all, the longest 48s. The largest, public.orders_pkey, has 2.0G.";
    expect(btree).toMatchObject({
      message: `${built} Its sort wrote temporary files and merged them in more than one pass: 16MB of memory merges 960M in one.`,
      fix: "As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET maintenance_work_mem = '32MB'; each of up to 4 builds at the same time may take that much.",
    });
    expect(workers).toMatchObject({
      message: `${built} No build had a second process. Where the server has idle processors, helpers share the sort of a large index.`,
      fix: "As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET max_parallel_maintenance_workers = 2; that is PostgreSQL's default.",
    });
  });

  test("never of what makes a server unsafe, or is none of a load's business", () => {
    const worst = { ...AFTER, wal: BEFORE.wal + 900 * GB, requested: 9999, syncMs: 80_000, ...memory("1MB"), maintenanceWorkers: 0 };
    const all = adviseSettings(BEFORE, worst, { ...WORK, largest: INDEX });
    expect(all).toHaveLength(3);
    for (const { setting, fix } of all) {
      expect(`${setting} ${fix}`).not.toMatch(/fsync|full_page_writes|shared_buffers|wal_level|synchronous_commit|autovacuum/);
    }
  });
});

test("nothing after a small run, whatever the settings", () => {
  expect(advise({}, { bytes: 255 * MB })).toEqual([]);
  expect(advise({}, { ms: 29_000 })).toEqual([]);
});
