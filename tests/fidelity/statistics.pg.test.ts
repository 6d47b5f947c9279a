import { describe, expect, test } from "vitest";
import { findServerBinaries } from "../../src/demo/binaries.ts";
import { startCluster } from "../../src/demo/cluster.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { copy } from "../support/fidelity.ts";
import { FAST } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** Nine tables that are not small, one of them partitioned; one never analyzed, one with extended statistics, one with an expression index. */
const TABLES = `
  DO $$ BEGIN FOR i IN 1..8 LOOP
    EXECUTE format('CREATE TABLE t%s AS SELECT g AS id, g %% %s AS n, repeat(md5(g::text), 8) AS body FROM generate_series(1, 16000) g', i, i + 1);
    EXECUTE format('ALTER TABLE t%s ADD PRIMARY KEY (id)', i);
  END LOOP; END $$;
  CREATE INDEX expression ON t2 ((n * 7)); CREATE STATISTICS extended ON id, n FROM t3;
  CREATE TABLE parts (id int, body text) PARTITION BY RANGE (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9000); CREATE TABLE parts_2 PARTITION OF parts DEFAULT; CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (-9) TO (0);
  INSERT INTO parts SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 40000) g;
  CREATE MATERIALIZED VIEW mv AS SELECT n, count(*) AS c FROM t1 GROUP BY n;`;

const STATISTICS = `SELECT schemaname, tablename, attname, inherited, n_distinct, null_frac, avg_width, most_common_vals::text AS common, histogram_bounds::text AS bounds
  FROM pg_stats WHERE schemaname = 'public' ORDER BY 2, 3, 4`;

describe("statistics", () => {
  test("of every table are there after a run", async () => {
    await using source = await freshDatabase("source", { sql: TABLES });
    await using target = reservedDatabase("target");
    await copy(source, target);
    const missing = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace AND reltuples = -1";
    expect(await target.sql(missing)).toEqual([]);
    expect((await target.sql(STATISTICS)).length).toBeGreaterThan(25);
  });

  test("are the source's own from PostgreSQL 18 on; what it does not know is analyzed", async ({ skip }) => {
    const binaries = await findServerBinaries({ prefer: "embedded" });
    if (binaries.major < 18) return skip("no server of 18 is installed");
    await using cluster = await startCluster({ binaries, settings: { ...FAST, autovacuum: "off" } });
    await sql(cluster.url("postgres"), "CREATE DATABASE source");
    const [source, target] = [{ url: cluster.url("source") }, { url: cluster.url("target") }];
    await sql(source.url, TABLES);
    await sql(source.url, "SET default_statistics_target = 7; ANALYZE t1, t2, t3, t4, t5, t6, t7, parts, mv"); // not t8
    await copy(source, target);
    const [there, here] = await Promise.all([sql(source.url, STATISTICS), sql(target.url, STATISTICS)]);
    const carried = (rows: typeof there) => rows.filter(({ tablename }) => tablename !== "t3" && tablename !== "t8");
    expect(carried(there).length).toBeGreaterThan(20);
    expect(carried(here)).toEqual(carried(there));
    expect(there.filter(({ tablename }) => tablename === "t8")).toEqual([]);
    expect(here.filter(({ tablename }) => tablename === "t8")).toHaveLength(3);
    expect(await sql(target.url, "SELECT count(*)::int AS n FROM pg_stats_ext")).toEqual([{ n: 1 }]);
  });
});
