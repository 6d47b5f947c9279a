import { expect, test } from "vitest";
import { findServerBinaries } from "../../src/demo/binaries.ts";
import { startCluster } from "../../src/demo/cluster.ts";
import { sync } from "../../src/index.ts";
import { freshDatabase } from "../support/databases.ts";
import { tableChecksums } from "../support/oracle.ts";
import { FAST, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const LZ4 = "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) AS there";

// Debian's servers know lz4, the embedded ones do not: `ALTER COLUMN … SET COMPRESSION lz4` ended the run.
test("columns compressed with lz4 reach a server that was built without it, and it is said", async ({ skip }) => {
  const here = await sql(urlOf(server("source"), "postgres"), LZ4);
  if (here[0]?.["there"] !== true) skip("the source's server has no lz4");
  await using cluster = await startCluster({
    binaries: await findServerBinaries({ env: process.env, prefer: "embedded" }),
    settings: FAST,
  });
  const there = await sql(cluster.url("postgres"), LZ4);
  if (there[0]?.["there"] === true || cluster.major < server("source").major) skip("no newer server without lz4");
  await using source = await freshDatabase("source", {
    sql: [
      "CREATE TABLE t (i int, v text COMPRESSION lz4)",
      "INSERT INTO t SELECT g, repeat(md5(g::text), 300) FROM generate_series(1, 50) g",
    ],
  });
  const result = await sync({ source: source.url, target: cluster.url("copy") });
  expect(result.warnings.join("\n")).toContain("built without lz4: 1 column ");
  expect(await tableChecksums(cluster.url("copy"))).toEqual(await tableChecksums(source.url));
});
