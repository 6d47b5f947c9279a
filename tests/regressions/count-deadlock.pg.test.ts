import { expect, test } from "vitest";
import type { TableInfo } from "../../src/catalog/tables.ts";
import type { CountTask } from "../../src/plan/task.ts";
import { connect } from "../../src/postgres/connect.ts";
import { countRows } from "../../src/tasks/count-rows.ts";
import { until } from "../support/cli-run.ts";
import { ownCluster } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";

// One statement counted a hundred small tables and kept each locked, while keys were built on the same tables in another order: deadlock detected.
test("whoever comes through the tables the other way meanwhile gets them, and all are counted", async () => {
  await using cluster = await ownCluster("target", { settings: { deadlock_timeout: "100ms" } });
  const url = cluster.url("postgres");
  await sql(url, "CREATE ROLE counter LOGIN SUPERUSER PASSWORD 'x'");
  await sql(url, "CREATE TABLE a AS SELECT generate_series(1, 3)");
  await sql(url, "CREATE TABLE b AS SELECT generate_series(1, 4)");
  const { host, port } = cluster;
  const config = { side: "target", host, port, user: "counter", database: "postgres", password: "x", ssl: { mode: "disable" } } as const;
  await using session = await connect({ ...config, connectTimeoutMs: 10_000 }, { applicationName: "test" });
  await using builder = await openSession(url);
  await builder.query("BEGIN");
  await builder.query("LOCK TABLE b IN ACCESS EXCLUSIVE MODE");

  const counts = new Map<number, number>();
  const counting = countRows(countTask([table(1, "a"), table(2, "b")]), {
    source: () => Promise.reject(new Error("nobody asks the source")),
    target: async () => session,
    signal: new AbortController().signal,
    rowsSent: () => undefined,
    recordCount: (oid, { target }) => void counts.set(oid, target),
  });
  const waiting = `SELECT FROM pg_locks WHERE pid = ${session.pid} AND NOT granted AND relation = 'b'::regclass`;
  await until(async () => (await sql(url, waiting)).length > 0);
  await builder.query("LOCK TABLE a IN ACCESS EXCLUSIVE MODE");
  await builder.query("COMMIT");
  await counting;
  expect([...counts]).toEqual([
    [1, 3],
    [2, 4],
  ]);
});

function countTask(tables: readonly TableInfo[]): CountTask {
  const node = { id: "count:1", object: "2 small tables", after: [], cost: 0, locks: [] };
  return { kind: "count", ...node, sides: ["target"], frozen: [], tables, range: undefined, hashes: new Map() };
}

function table(oid: number, name: string): TableInfo {
  const sizes = { bytes: 8192, blocks: 1, rowEstimate: 0, extendedStatistics: false, unlogged: false };
  return { oid, schema: "public", name, kind: "r", ...sizes, root: oid, parents: [], file: oid, columns: [] };
}
