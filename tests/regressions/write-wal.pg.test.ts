import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { connect } from "../../src/postgres/connect.ts";
import { renewable } from "../../src/postgres/renewable.ts";
import { writeWal } from "../../src/sync/copy/write-wal.ts";
import { until } from "../support/cli-run.ts";
import { ownCluster } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";

// Not a mistake once made, but what nobody would notice if it stopped working.
test("while rows come in, a session that is idle otherwise writes the WAL out; and it is left as it was", async () => {
  await using cluster = await ownCluster("target", { settings: { wal_writer_delay: "10s", wal_buffers: "16MB" } });
  const url = cluster.url("postgres");
  await sql(url, "CREATE ROLE writer LOGIN PASSWORD 'x'"); // owns nothing and may nothing
  const { host, port } = cluster;
  const config = { side: "target", host, port, user: "writer", database: "postgres", password: "x", ssl: { mode: "disable" } } as const;
  await using idle = renewable(() => connect({ ...config, connectTimeoutMs: 10_000 }, { applicationName: "test" }));
  await using load = await openSession(url);
  await sql(url, "CREATE TABLE rows (n int, text text)");
  await load.query("BEGIN"); // an end would wake the WAL writer
  const behind = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn())::int AS bytes";
  const backlog = async (): Promise<number> => Number((await sql(url, behind))[0]?.bytes);
  const fill = "INSERT INTO rows SELECT n, repeat('x', 100) FROM generate_series(1, 20000) n";

  await load.query(fill);
  await sleep(300);
  expect(await backlog()).toBeGreaterThan(1_000_000);
  {
    await using _ahead = writeWal(idle, 1e9);
    await load.query(fill);
    await until(async () => (await backlog()) < 300_000);
  }
  const session = await idle.get();
  expect(await session.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  const place = await sql(url, "SELECT pg_current_wal_insert_lsn() AS lsn");
  await sleep(200);
  expect(await sql(url, "SELECT pg_current_wal_insert_lsn() AS lsn")).toEqual(place);
});
