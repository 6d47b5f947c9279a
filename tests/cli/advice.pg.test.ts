import { expect, test } from "vitest";
import type { SyncEvent } from "../../src/index.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { readLargestIndex, readTargetLoad } from "../../src/target/load.ts";
import { runBetween, SLOW } from "../support/cli-run.ts";
import { freshDatabase, type FreshDatabase, reservedDatabase } from "../support/databases.ts";
import { FULL } from "../faults/form.ts";
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

/** 270 MB of rows, and an index as large that takes half a minute to build, on the target only. */
const LARGE = `${SLOW} CREATE TABLE t (n int, filler text); ALTER TABLE t ALTER filler SET STORAGE EXTERNAL;
  INSERT INTO t SELECT n, rpad(n::text, 1000, 'x') FROM generate_series(1, 270000) n;
  CREATE INDEX large ON t (filler) WHERE n % 1000 <> 0 OR slow(n, 0.112);`;

// it is given of builds that take half a minute of work and more
test.runIf(FULL)(
  "advice in the result, and as an event before the end: of what cost time, not of what looks bad",
  async () => {
    // a small server, so that its sessions get little memory; without fsync no checkpoint keeps the disk busy, however many there are
    const settings = { shared_buffers: "8MB", maintenance_work_mem: "1MB", max_parallel_maintenance_workers: "0", max_wal_size: "48MB" };
    await using cluster = await ownCluster("target", { settings });
    await using source = await freshDatabase("source", { sql: LARGE });
    const events: SyncEvent[] = [];
    const result = await sync({ source: source.url, target: cluster.url("copy"), onEvent: (event) => events.push(event) });
    const built = String.raw`^Building indexes took \d+s of work in all, the longest \d+s\. The largest, public\.large, has 4\d\dM\. `;
    expect(result.advice).toEqual([
      {
        setting: "maintenance_work_mem",
        value: expect.stringMatching(/^\d+(?:kB|MB)$/),
        better: "16MB",
        message: expect.stringMatching(new RegExp(`${built}Its sort wrote temporary files and merged them in more than one pass`)),
        fix: expect.stringContaining("ALTER ROLE CURRENT_USER SET maintenance_work_mem = '16MB'"),
      },
      {
        setting: "max_parallel_maintenance_workers",
        value: "0",
        better: "2",
        message: expect.stringMatching(new RegExp(`${built}No build had a second process`)),
        fix: expect.stringContaining("ALTER ROLE CURRENT_USER SET max_parallel_maintenance_workers = 2"),
      },
    ]);
    const told = events.filter((event) => event.type === "advice");
    expect(told).toMatchObject(result.advice);
    expect(events.slice(-1 - told.length).map(({ type }) => type)).toEqual(["advice", "advice", "run:done"]);
    // what is advised can be done
    for (const { fix } of result.advice) await sql(cluster.url("postgres"), /ALTER ROLE [^;]*/.exec(fix)?.[0] ?? "no statement");
  },
  240_000,
);

test("a small run gets none", async () => {
  await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT generate_series(1, 1000)" });
  await using target = reservedDatabase("target");
  const { code, stdout } = await runBetween(source, target);
  expect(code).toBe(0);
  expect(stdout).not.toContain("settings cost");
});
