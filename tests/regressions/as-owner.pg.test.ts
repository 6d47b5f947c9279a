import { expect, test } from "vitest";
import { sync } from "../../src/index.ts";
import { type FreshDatabase, freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { tableChecksums } from "../support/oracle.ts";
import { server, type TestServer, urlOf } from "../support/servers.ts";
import { quoteName, sql } from "../support/sql.ts";

const SIDES = ["source", "target"] as const;

interface Owned {
  source: FreshDatabase;
  target: FreshDatabase;
  /** URL of a database, as the owner of the source's. */
  as: (on: TestServer, database: string) => string;
}

/** A source whose owner may log in and create databases, on both servers, for as long as the work takes. */
async function withOwner(work: (owned: Owned) => Promise<void>): Promise<void> {
  const role = uniqueName("owner");
  for (const side of SIDES) await sql(urlOf(server(side), "postgres"), `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'secret'`);
  try {
    await using source = await freshDatabase("source", { options: `OWNER ${quoteName(role)}` });
    await using target = reservedDatabase("target");
    await work({ source, target, as: (on, database) => urlOf({ ...on, user: role, password: "secret" }, database) });
  } finally {
    for (const side of SIDES) await sql(urlOf(server(side), "postgres"), `DROP ROLE ${role}`);
  }
}

// Pagila: its one aggregate was taken for a function in the language "internal", which only a superuser may use.
test("the owner of a database copies it with its aggregates", async () => {
  await withOwner(async ({ source, target, as }) => {
    await sql(
      as(server("source"), source.name),
      `CREATE SCHEMA app; CREATE TABLE app.t AS SELECT g AS i, 'n' || g AS name FROM generate_series(1, 100) g;
       CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
       CREATE FUNCTION app.glue(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1 || $2';
       CREATE AGGREGATE app.glued(text) (SFUNC = app.glue, STYPE = text);
       CREATE MATERIALIZED VIEW app.sums AS SELECT app.total(i), app.glued(name ORDER BY i) FROM app.t`,
    );
    await sync({ source: as(server("source"), source.name), target: as(server("target"), target.name) });
    expect(await tableChecksums(target.url)).toEqual(await tableChecksums(source.url));
    expect(await target.sql("SELECT total FROM app.sums")).toEqual([{ total: 5050 }]);
  });
});

// The copy was counted when row level security and privileges were there already, and kept its own role out.
test("the owner of a database copies tables that he may not read himself there", async () => {
  await withOwner(async ({ source, target, as }) => {
    await sql(
      as(server("source"), source.name),
      `CREATE SCHEMA app; CREATE TABLE app.forced AS SELECT g AS i FROM generate_series(1, 100) g;
       ALTER TABLE app.forced ENABLE ROW LEVEL SECURITY; ALTER TABLE app.forced FORCE ROW LEVEL SECURITY; CREATE POLICY few ON app.forced USING (i < 3);
       CREATE TABLE app.revoked AS SELECT 7 AS i; REVOKE ALL ON app.revoked FROM CURRENT_USER`,
    );
    // somebody who may read all of it there
    await sync({ source: source.url, target: as(server("target"), target.name), yes: true });
    expect(await tableChecksums(target.url)).toEqual(await tableChecksums(source.url));
  });
});

test("a domain's constraint that is NOT VALID comes after the rows that break it", async () => {
  await using source = await freshDatabase("source", {
    sql: `CREATE DOMAIN positive AS int; CREATE TABLE t (i positive); INSERT INTO t VALUES (-1), (1);
          ALTER DOMAIN positive ADD CONSTRAINT above CHECK (VALUE > 0) NOT VALID`,
  });
  await using target = reservedDatabase("target");
  await sync({ source: source.url, target: target.url });
  expect(await tableChecksums(target.url)).toEqual(await tableChecksums(source.url));
  await expect(target.sql("INSERT INTO t VALUES (-2)")).rejects.toMatchObject({ code: "23514" });
});
