import { expect, test } from "vitest";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { killedWhen, type Left, resume, SLOW_ONCE } from "../support/resume.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

// A run dies when everything but the last materialized view is there; rows change; what acts on them has to be taken back, all of it, and made again.

const LAST = "CREATE MATERIALIZED VIEW zz_last AS SELECT slow_once(1, 60) AS x;";

/** Before PostgreSQL 13 a partition's part of a trigger is the system's, and its state nobody's to change. */
const PARTITIONS_OWN = server("source").major >= 13;

const CASES: ReadonlyArray<[what: string, make: string, change: string]> = [
  [
    "partitions: keys that merge with those above, and triggers that are off in one that did not change",
    `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
     CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers SELECT generate_series(1, 50);
     CREATE TABLE p (id int, k int, c int REFERENCES customers, up int, upk int, PRIMARY KEY (id, k), FOREIGN KEY (up, upk) REFERENCES p) PARTITION BY LIST (k);
     CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY RANGE (id);
     CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (0) TO (100); CREATE TABLE p2b PARTITION OF p2 FOR VALUES FROM (100) TO (200);
     CREATE TABLE refs (id int, k int, FOREIGN KEY (id, k) REFERENCES p ON DELETE CASCADE);
     ALTER TABLE p2 ADD CONSTRAINT mid FOREIGN KEY (c) REFERENCES customers; ALTER TABLE p2b ADD CONSTRAINT leaf FOREIGN KEY (c) REFERENCES customers;
     INSERT INTO p SELECT i, 1, i, NULL, NULL FROM generate_series(1, 50) i; INSERT INTO p SELECT i, 2, 1 + i % 9, 1, 1 FROM generate_series(51, 150) i;
     INSERT INTO refs VALUES (1, 1), (60, 2), (120, 2);
     CREATE TRIGGER above AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION note(); ${PARTITIONS_OWN ? "ALTER TABLE p1 DISABLE TRIGGER above;" : ""}
     CREATE TRIGGER "CREATE mid" AFTER INSERT ON p2 FOR EACH ROW EXECUTE FUNCTION note(); ${PARTITIONS_OWN ? 'ALTER TABLE p2b ENABLE ALWAYS TRIGGER "CREATE mid";' : ""}`,
    "DELETE FROM p2a WHERE id = 77",
  ],
  [
    "checks that are NOT VALID, with rows that break them",
    `CREATE TABLE a (i int); INSERT INTO a VALUES (-1); ALTER TABLE a ADD CONSTRAINT positive CHECK (i > 0) NOT VALID; COMMENT ON CONSTRAINT positive ON a IS 'from now on';
     CREATE TABLE parent (i int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (-4); ALTER TABLE parent ADD CONSTRAINT positive CHECK (i > 0) NOT VALID;`,
    "INSERT INTO a VALUES (4); INSERT INTO child VALUES (5)",
  ],
];

async function isRefreshingTheLast(staging: Left): Promise<boolean> {
  const rows = await sql(
    staging.url,
    "SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND query ~ 'REFRESH.*zz_last' AND state = 'active'",
  );
  return rows.length > 0;
}

test.each(CASES)("%s", async (_what, make, change) => {
  const [login, owner] = [uniqueName("login"), uniqueName("owner")];
  const sides = ["source", "target"] as const;
  const admin = (side: (typeof sides)[number]): string => urlOf(server(side), "postgres");
  for (const side of sides)
    await sql(admin(side), `CREATE ROLE ${owner}; CREATE ROLE ${login} LOGIN CREATEDB PASSWORD 'secret' IN ROLE ${owner}`);
  try {
    await using source = await freshDatabase("source", {
      options: `OWNER ${login}`,
      sql: `ALTER SCHEMA public OWNER TO ${owner}; SET ROLE ${owner}; ${SLOW_ONCE} ${LAST} ${make}`,
    });
    await using target = reservedDatabase("target");
    // no superuser, but a member of the role that owns the objects
    const here = { name: target.name, url: urlOf({ ...server("target"), user: login, password: "secret" }, target.name) };
    await killedWhen(source, here, isRefreshingTheLast);
    await source.sql(change);
    const { code, told, stdout, stderr } = await resume(source, here);
    expect(stderr).toBe("");
    expect(code, stdout).toBe(0);
    expect(told).toMatch(/Copied again: public\.\w+: rows were (written|deleted) since/);
    await expectSame(source, target);
  } finally {
    for (const side of sides) await sql(admin(side), `DROP ROLE ${login}, ${owner}`);
  }
});

test("a publication for all tables, which would have the journal's tables too", async () => {
  await using source = await freshDatabase("source", {
    sql: `${SLOW_ONCE} ${LAST} CREATE TABLE t (i int); INSERT INTO t VALUES (1); CREATE PUBLICATION everything FOR ALL TABLES`,
  });
  await using target = reservedDatabase("target");
  await killedWhen(source, target, isRefreshingTheLast);
  await source.sql("INSERT INTO t VALUES (2)");
  const { code, told, stdout, stderr } = await resume(source, target);
  expect(stderr).toBe("");
  expect(code, stdout).toBe(0);
  expect(told).toContain("public.t: rows were written since");
  await expectSame(source, target);
});
