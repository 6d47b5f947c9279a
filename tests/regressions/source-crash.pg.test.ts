import { expect, test } from "vitest";
import { startBetween, stagingOf, until } from "../support/cli-run.ts";
import { reservedDatabase, uniqueName } from "../support/databases.ts";
import { ownCluster, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

// The snapshot dies with the source. Sessions that were opened anew and could not join it were left open, and kept the process alive
// for ever after it had printed its error.
test("a source that crashes and comes back ends the run, and the process", async () => {
  await using cluster = await ownCluster("source");
  const name = uniqueName();
  await sql(cluster.url("postgres"), `CREATE DATABASE ${name}`);
  const source = { url: cluster.url(name) };
  await sql(
    source.url,
    `CREATE FUNCTION public.slow(i int) RETURNS bool LANGUAGE plpgsql AS
       $$BEGIN IF pg_catalog.current_database() ~ '__pgditto_' THEN PERFORM pg_catalog.pg_sleep(0.05); END IF; RETURN true; END$$;
     CREATE TABLE a (i int CHECK (public.slow(i))); INSERT INTO a SELECT generate_series(1, 200);
     CREATE TABLE b (i int CHECK (public.slow(i))); INSERT INTO b SELECT generate_series(1, 200);`,
  );
  await using target = reservedDatabase("target");
  await using cli = await startBetween(source, target);
  const staging = await stagingOf(target.name);
  await until(async () => {
    const rows = await sql(urlOf(server("target"), "postgres"), "SELECT FROM pg_stat_activity WHERE datname = $1 AND query ~ 'COPY'", [
      staging,
    ]);
    return rows.length === 2;
  });
  await cluster.stop("crash");
  await cluster.start();
  const { code, stdout, stderr } = await cli.result;
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(/snapshot.* is gone/);
});
