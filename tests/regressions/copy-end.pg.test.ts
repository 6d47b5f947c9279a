import { expect, test } from "vitest";
import { until } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";
import { sync, type SyncEvent } from "../../src/index.ts";

// What the target says while rows are on their way came through as a bare error of the driver: told as a defect of pgditto
// ("internal"), without side and SQLSTATE, and therefore never retried.

/** True on the source, whatever it is told in the copy. */
const IN_STAGING = (what: string): string => `CREATE FUNCTION public.in_staging(i int) RETURNS bool LANGUAGE plpgsql AS
  $$BEGIN IF pg_catalog.current_database() ~ '__pgditto_' THEN ${what} END IF; RETURN true; END$$`;

test("a row that the target refuses is an error of the target, with its SQLSTATE", async () => {
  await using source = await freshDatabase("source", {
    sql: [
      IN_STAGING("RETURN false;"),
      "CREATE TABLE t (i int CHECK (public.in_staging(i)))",
      "INSERT INTO t SELECT generate_series(1, 10)",
    ],
  });
  await using target = reservedDatabase("target");
  await expect(sync({ source: source.url, target: target.url })).rejects.toMatchObject({
    code: "copy",
    side: "target",
    sqlstate: "23514",
    object: "public.t",
  });
});

test("among small tables that share a transaction it is the right one that is named", async () => {
  await using source = await freshDatabase("source", {
    sql: [
      IN_STAGING("RETURN i <> 23;"),
      `DO $$ BEGIN FOR i IN 1..40 LOOP
         EXECUTE format('CREATE TABLE t%s (i int CHECK (public.in_staging(i)))', i); EXECUTE format('INSERT INTO t%s VALUES (%s)', i, i);
       END LOOP; END $$`,
    ],
  });
  await using target = reservedDatabase("target");
  await expect(sync({ source: source.url, target: target.url })).rejects.toMatchObject({
    code: "copy",
    side: "target",
    sqlstate: "23514",
    object: "public.t23",
  });
});

test("a backend of the target that ends in mid copy costs another attempt, and no row", async () => {
  await using source = await freshDatabase("source", {
    sql: [
      IN_STAGING("PERFORM pg_catalog.pg_sleep(0.02);"),
      "CREATE TABLE t (i int CHECK (public.in_staging(i)))",
      "INSERT INTO t SELECT generate_series(1, 60)",
    ],
  });
  await using target = reservedDatabase("target");
  const events: SyncEvent[] = [];
  const running = sync({ source: source.url, target: target.url, onEvent: (event) => void events.push(event) });
  running.catch(() => {});
  await until(async () => {
    const rows = await sql(
      urlOf(server("target"), "postgres"),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(datname, $1 || '__pgditto_') AND query ~ 'COPY .* FROM STDIN'",
      [target.name],
    );
    return rows.length > 0;
  });
  await running;
  expect(events.filter((event) => event.type === "task:retry")).toMatchObject([{ object: "public.t", error: { sqlstate: "57P01" } }]);
  expect(await target.sql("SELECT count(*)::int AS n FROM t")).toEqual([{ n: 60 }]);
});
