import { expect, test } from "vitest";
import { connect } from "../../src/postgres/connect.ts";
import { flush } from "../../src/tasks/apply-entries.ts";
import { ownCluster } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

// What a task had made was said to be on disk, and was not: a commit that has written nothing waits for nothing.
test("what was flushed is there when the server has crashed in the next moment", async () => {
  await using cluster = await ownCluster("target", { settings: { wal_writer_delay: "10s" } });
  for (const text of ["CREATE ROLE copier LOGIN PASSWORD 'x'", "CREATE DATABASE copy OWNER copier"])
    await sql(cluster.url("postgres"), text);
  const ssl = { mode: "disable" } as const;
  const config = { side: "target", host: cluster.host, port: cluster.port, user: "copier", database: "copy", password: "x", ssl } as const;
  await using session = await connect({ ...config, connectTimeoutMs: 10_000 }, { applicationName: "test" });
  await session.run("CREATE SCHEMA mine; COMMENT ON SCHEMA mine IS 'still here'");
  await flush(session, new AbortController().signal);
  await cluster.stop("crash");
  await cluster.start();
  expect(
    await sql(cluster.url("copy"), "SELECT obj_description(oid, 'pg_namespace') AS d FROM pg_namespace WHERE nspname = 'mine'"),
  ).toEqual([{ d: "still here" }]);
});
