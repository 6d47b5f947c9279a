import { expect, test } from "vitest";

import { findServerBinaries } from "../../src/demo/binaries.ts";
import { startCluster } from "../../src/demo/cluster.ts";
import { freshShop, reservedDatabase } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { runCli } from "../support/run-cli.ts";
import { FAST, server } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** The short form of `npm run test:versions`: from the run's server to the newest embedded one, which is another where the system has its own. */
test("the shop arrives on the embedded server too", async () => {
  const binaries = await findServerBinaries({ prefer: "embedded" });
  await using cluster = await startCluster({ binaries, settings: FAST });
  await using source = await freshShop("source");
  const target = { url: cluster.url("copy of the shop") };
  const { code, stdout, stderr } = await runCli(["sync", "--json"], { env: { MAIN_DB_URL: source.url, ARCHIVE_DB_URL: target.url } });
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
  expect(await contents(target.url)).toEqual(await contents(source.url));
  // a target that is older than the source is told of
  expect(warnings(stdout)).toEqual(binaries.major < server("source").major ? ["older-target"] : []);
});

/** What a server as old as 12 understands too. */
const PLAIN = `
  CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email text UNIQUE, since timestamptz DEFAULT now());
  CREATE TABLE orders (id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, total numeric(10,2) CHECK (total >= 0), day date);
  CREATE TABLE days (day date NOT NULL, n int) PARTITION BY RANGE (day);
  CREATE TABLE days_2020 PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE INDEX ON days (n);
  INSERT INTO customers (name) SELECT 'n' || g FROM generate_series(1, 500) g; INSERT INTO orders (customer, total) SELECT id, id FROM customers;
  INSERT INTO days SELECT '2020-02-01', g FROM generate_series(1, 100) g;
  CREATE INDEX ON orders (customer); CREATE VIEW rich AS SELECT * FROM orders WHERE total > 100; CREATE MATERIALIZED VIEW sums AS SELECT sum(total) FROM rich;
  CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();`;

test("an older target takes what it understands, with a warning; what it does not is named, all of it", async ({ skip }) => {
  const binaries = await findServerBinaries({ prefer: "embedded" });
  const target = server("target");
  if (binaries.major <= target.major) return skip("the run's servers are as new as the embedded one");
  await using cluster = await startCluster({ binaries, settings: FAST });
  const newer = { url: cluster.url("newer") };
  await sql(cluster.url("postgres"), "CREATE DATABASE newer");
  await sql(newer.url, PLAIN);
  await using copy = reservedDatabase("target");
  const env = { MAIN_DB_URL: newer.url, ARCHIVE_DB_URL: copy.url };
  const first = await runCli(["sync", "--json"], { env });
  expect({ code: first.code, stderr: first.stderr }, first.stdout).toEqual({ code: 0, stderr: "" });
  expect(warnings(first.stdout)).toEqual(["older-target"]);
  expect(await contents(copy.url)).toEqual(await contents(newer.url));

  await sql(
    newer.url,
    `CREATE TABLE twice (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL); CREATE VIEW needs_it AS SELECT * FROM twice;
     CREATE TABLE base (a int); CREATE TABLE heir (NOT NULL a) INHERITS (base); CREATE TABLE fine (a int)`,
  );
  const second = await runCli(["sync"], { env });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("TABLE public.heir");
  expect(second.stderr).toContain("TABLE public.twice");
  expect(second.stderr).not.toMatch(/needs_it|fine/);
  expect(await sql(copy.url, "SELECT count(*)::int AS n FROM orders")).toEqual([{ n: 500 }]);
});

function warnings(stdout: string): string[] {
  const codes = stdout
    .split("\n")
    .filter((line) => line.includes('"level":"warning"'))
    .map((line) => (JSON.parse(line) as { code: string }).code);
  return codes.filter((code) => code !== "pg-dump-old");
}
