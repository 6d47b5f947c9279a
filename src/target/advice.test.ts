import { describe, expect, test } from "vitest";

import { adviseSettings, type LoadWork } from "./advice.ts";
import type { BuiltIndex, TargetLoad } from "./load.ts";

const MB = 1024 ** 2;
const GB = 1024 ** 3;

const BEFORE: TargetLoad = {
  wal: 10 * GB,
  requested: 5,
  checkpointBytes: GB,
  since: "2026-07-01 00:00:00+00",
  maxWalSize: { text: "1GB", bytes: GB },
  checkpointTimeout: 300,
  completionTarget: 0.9,
  fullPageWrites: true,
  maintenanceWorkMem: { text: "64MB", bytes: 64 * MB },
  maintenanceWorkers: 2,
  parallelWorkers: 8,
};
const INDEX: BuiltIndex = { schema: "public", name: "orders_pkey", method: "btree", bytes: 700 * MB, temporaryBytes: 900 * MB };
const WORK: LoadWork = { bytes: 4 * GB, ms: 84_000, buildMs: 65_000, connections: 4, largest: undefined };

/** What is advised after a load that wrote 4.1 GB of WAL and forced six checkpoints, unless something differs. */
function advise(after: Partial<TargetLoad> = {}, work: Partial<LoadWork> = {}): string[] {
  const end = { ...BEFORE, wal: BEFORE.wal + 4.1 * GB, requested: 11, checkpointBytes: 4 * GB, ...after };
  return adviseSettings(BEFORE, end, { ...WORK, ...work }).map(({ setting, value, better }) => `${setting} ${value} ${better}`);
}

describe("max_wal_size", () => {
  test("what happened, in numbers, what would have been enough, and what it takes", () => {
    const after = { ...BEFORE, wal: BEFORE.wal + 4.1 * GB, requested: 11, checkpointBytes: 4 * GB };
    expect(adviseSettings(BEFORE, after, WORK)).toEqual([
      {
        setting: "max_wal_size",
        value: "1GB",
        better: "8GB",
        message:
          "6 checkpoints were forced in 1m 24s, while 4.0G of rows came in and 4.1G of WAL was written (by everybody: other work on this server counts too). " +
          "Checkpoints wrote 3.0G to the data files; and a page that changes again behind one goes whole into the WAL once more (full_page_writes). " +
          "With 8GB none would have been forced.",
        fix: "As a superuser: ALTER SYSTEM SET max_wal_size = '8GB'; SELECT pg_reload_conf(); pg_wal grows up to that, so the disk needs the room.",
      },
    ]);
  });

  test("no more than what is written until the next checkpoint comes with time", () => {
    // 400 GB in four hours are 8.3 GB in five minutes
    expect(advise({ wal: BEFORE.wal + 400 * GB, requested: 700 }, { ms: 4 * 3_600_000 })).toEqual(["max_wal_size 1GB 16GB"]);
    expect(advise({ wal: BEFORE.wal + 400 * GB, requested: 700 }, { ms: 600_000 })).toEqual(["max_wal_size 1GB 64GB"]);
  });

  test.each<[string, Partial<TargetLoad>]>([
    ["it was large enough", { maxWalSize: { text: "16GB", bytes: 16 * GB } }],
    ["two are no pattern", { requested: 7 }],
    ["somebody asked for checkpoints: the WAL does not explain them", { wal: BEFORE.wal + 0.5 * GB }],
    ["the counters began anew", { since: "2026-07-01 02:00:00+00" }],
    ["the counters went back", { requested: 0 }],
  ])("nothing: %s", (_, after) => {
    expect(advise(after)).toEqual([]);
  });
});

describe("indexes", () => {
  const quiet = { requested: BEFORE.requested };

  test.each<[string, Partial<TargetLoad>, Partial<BuiltIndex>, string[]]>([
    ["little memory for a large one", {}, {}, ["maintenance_work_mem 64MB 1GB"]],
    ["one of 300 MB needs less", {}, { bytes: 300 * MB }, ["maintenance_work_mem 64MB 512MB"]],
    ["GIN uses no temporary files", {}, { method: "gin", temporaryBytes: 0 }, ["maintenance_work_mem 64MB 1GB"]],
    ["a sort that did not spill", {}, { temporaryBytes: 0 }, []],
    ["a small one", {}, { bytes: 200 * MB }, []],
    ["memory enough", { maintenanceWorkMem: { text: "512MB", bytes: 512 * MB } }, {}, []],
    ["more would gain little", { maintenanceWorkMem: { text: "1GB", bytes: GB } }, { bytes: 40 * GB }, []],
    ["no helpers", { maintenanceWorkers: 0 }, { temporaryBytes: 0 }, ["max_parallel_maintenance_workers 0 2"]],
    ["no helpers for anything", { parallelWorkers: 0, maintenanceWorkers: 0 }, { temporaryBytes: 0 }, ["max_parallel_workers 0 8"]],
    ["helpers would not help", { maintenanceWorkers: 0 }, { method: "gist", temporaryBytes: 0 }, []],
    ["no helpers, small", { maintenanceWorkers: 0 }, { bytes: 100 * MB }, []],
    ["both", { maintenanceWorkers: 0 }, {}, ["maintenance_work_mem 64MB 1GB", "max_parallel_maintenance_workers 0 2"]],
  ])("%s", (_, after, index, expected) => {
    expect(advise({ ...quiet, ...after }, { largest: { ...INDEX, ...index } })).toEqual(expected);
  });

  test("nothing when building took seconds, or there was none", () => {
    expect(advise({ ...quiet, maintenanceWorkers: 0 }, { largest: INDEX, buildMs: 9000 })).toEqual([]);
    expect(advise({ ...quiet, maintenanceWorkers: 0 })).toEqual([]);
  });

  test("say which, how long, what it takes", () => {
    const [memory] = adviseSettings(BEFORE, BEFORE, { ...WORK, largest: INDEX });
    expect(memory).toMatchObject({
      message:
        "Building indexes took 1m 05s of work in all. The largest, public.orders_pkey, has 700M; it was built with 64MB of memory, and 900M went through temporary files.",
      fix: "As the role that pgditto uses there: ALTER ROLE CURRENT_USER SET maintenance_work_mem = '1GB'; up to 4 builds at the same time may take that much each.",
    });
  });
});

test("nothing after a small run, whatever the settings", () => {
  expect(advise({}, { bytes: 255 * MB })).toEqual([]);
  expect(advise({}, { ms: 29_000 })).toEqual([]);
});

test("never of what makes a server unsafe, or is none of a load's business", () => {
  const worst = { ...BEFORE, wal: BEFORE.wal + 900 * GB, requested: 9999, maintenanceWorkers: 0, checkpointBytes: 900 * GB };
  const all = adviseSettings(BEFORE, worst, { ...WORK, largest: INDEX });
  expect(all).toHaveLength(3);
  for (const { setting, fix } of all) {
    expect(`${setting} ${fix}`).not.toMatch(/fsync|full_page_writes|shared_buffers|wal_level|synchronous_commit|autovacuum/);
  }
});
