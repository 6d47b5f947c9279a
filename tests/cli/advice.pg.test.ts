import { expect, test } from "vitest";
import type { SyncEvent } from "../../src/index.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { readLargestIndex, readTargetLoad } from "../../src/target/load.ts";
import { runBetween, SLOW } from "../support/cli-run.ts";
import { freshDatabase, type FreshDatabase, reservedDatabase } from "../support/databases.ts";
import { ownCluster, server } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

// what is published, not the sources
const { sync } = (await import(new URL("../../dist/index.js", import.meta.url).href)) as typeof import("../../src/index.ts");

async function sessionIn({ side, name: database }: FreshDatabase): Promise<Session> {
  const { host, port, user, password } = server(side);
  return await connect(
    { side, host, port, user, password, database, ssl: { mode: "disable" }, connectTimeoutMs: 10_000 },
    { applicationName: "test" },
  );
}

const { signal } = new AbortController();

test.each(["source", "target"] as const)(
  "the counters and settings of the %s's server can be read, and count what happens",
  async (side) => {
    await using database = await freshDatabase(side);
    await using session = await sessionIn(database);
    const before = await readTargetLoad(session, signal);
    expect(before).toMatchObject({
      maxWalSize: { text: "2GB", bytes: 2 * 1024 ** 3 },
      maintenanceWorkMem: { text: "64MB", bytes: 64 * 1024 ** 2 },
      checkpointTimeout: 300,
      fullPageWrites: false,
      maintenanceWorkers: 2,
      parallelWorkers: 8,
    });
    expect(await readLargestIndex(session, signal)).toBeUndefined();
    await database.sql(
      "CREATE TABLE t AS SELECT n, md5(n::text) AS h FROM generate_series(1, 50000) n; CREATE INDEX small ON t (n) WHERE n < 9",
    );
    await session.run(
      "SET maintenance_work_mem = '1MB'; SET max_parallel_maintenance_workers = 0; CREATE INDEX large ON public.t (h); CHECKPOINT",
    );
    const after = await readTargetLoad(session, signal);
    expect(after.wal - before.wal).toBeGreaterThan(4_000_000);
    expect(after).toMatchObject({ since: before.since, maintenanceWorkMem: { text: "1MB", bytes: 1024 ** 2 }, maintenanceWorkers: 0 });
    const largest = await readLargestIndex(session, signal);
    expect(largest).toMatchObject({ schema: "public", name: "large", method: "btree" });
    expect(largest?.bytes).toBeGreaterThan(2_000_000);
    // counted a moment later
    await expect
      .poll(async () => (await readLargestIndex(session, signal))?.temporaryBytes, { timeout: 15_000 })
      .toBeGreaterThan(1_000_000);
    await expect.poll(async () => (await readTargetLoad(session, signal)).requested, { timeout: 15_000 }).toBeGreaterThan(before.requested);
  },
);

/** 270 MB of rows that come in for half a minute: each of them takes a while to be checked, on the target only. */
const LARGE = `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 0.115)), filler text);
  ALTER TABLE t ALTER filler SET STORAGE EXTERNAL;
  INSERT INTO t SELECT n, repeat('x', 1000000) FROM generate_series(1, 270) n;`;

test("a load that forces checkpoints on the target: advice in the result and as an event before the end", async () => {
  await using cluster = await ownCluster("target", { settings: { max_wal_size: "48MB", full_page_writes: "on" } });
  await using source = await freshDatabase("source", { sql: LARGE });
  const events: SyncEvent[] = [];
  const result = await sync({ source: source.url, target: cluster.url("copy"), onEvent: (event) => events.push(event) });
  expect(result.advice).toEqual([
    {
      setting: "max_wal_size",
      value: "48MB",
      better: "1GB",
      message: expect.stringMatching(
        /^\d+ checkpoints were forced in \d+s, while 25\dM of rows came in and 2\d\dM of WAL was written \(by everybody: .*\)\. Checkpoints wrote .*full_page_writes.*With 1GB none would have been forced\.$/,
      ),
      fix: expect.stringContaining("ALTER SYSTEM SET max_wal_size = '1GB'"),
    },
  ]);
  const told = events.filter((event) => event.type === "advice");
  expect(told).toMatchObject(result.advice);
  expect(events.slice(-1 - told.length).map(({ type }) => type)).toEqual(["advice", "run:done"]);
  // what is advised can be done
  await sql(cluster.url("postgres"), "ALTER SYSTEM SET max_wal_size = '1GB'");
});

test("a small run gets none", async () => {
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT generate_series(1, 1000)" });
  await using target = reservedDatabase("target");
  const { code, stdout } = await runBetween(source, target);
  expect(code).toBe(0);
  expect(stdout).not.toContain("settings cost");
});
