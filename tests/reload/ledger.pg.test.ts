import { expect, test } from "vitest";
import { readConstraintsOf } from "../../src/catalog/removable/constraints.ts";
import { readForeignKeys } from "../../src/catalog/removable/foreign-keys.ts";
import { readSecondaryIndexes } from "../../src/catalog/removable/indexes.ts";
import type { Removable } from "../../src/catalog/removable/removable.ts";
import { readEnabledTriggers, readForcedRowSecurity } from "../../src/catalog/removable/triggers.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { putBack, type PutBackResult } from "../../src/sync/ledger/put-back.ts";
import { readLedger, takeOff } from "../../src/target/ledger.ts";
import { freshDatabase, freshShop, type FreshDatabase } from "../support/databases.ts";
import { schemaText } from "../support/fidelity.ts";
import { server } from "../support/servers.ts";

const signal = new AbortController().signal;

async function open({ name }: FreshDatabase): Promise<Session> {
  const { host, port, user, password } = server("target");
  const ssl = { mode: "disable" } as const;
  return await connect(
    { side: "target", host, port, user, password, database: name, ssl, connectTimeoutMs: 10_000 },
    { applicationName: "test" },
  );
}

async function everything(session: Session): Promise<Removable[]> {
  const rows = await session.query<{ oid: number }>(
    "SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'",
  );
  const tables = new Set(rows.map((row) => row.oid));
  return [
    ...(await readEnabledTriggers(session, tables, "all")),
    ...(await readForcedRowSecurity(session, tables)),
    ...(await readForeignKeys(session, tables)),
    ...(await readConstraintsOf(session, tables)),
    ...(await readSecondaryIndexes(session, tables)),
  ];
}

async function backAgain(session: Session, second: Session): Promise<PutBackResult> {
  return await putBack({ emit: () => undefined, signal, config: { retryCount: 1 } }, await readLedger(session), [session, second]);
}

test("everything that can be taken off the shop comes back, to the letter", async () => {
  await using shop = await freshShop("target");
  const before = await schemaText(shop.url);
  await using session = await open(shop);
  await using second = await open(shop);
  const removables = await everything(session);
  await takeOff(session, removables, { run: "r1", purpose: "reload", signal });
  expect(new Set((await readLedger(session)).map(({ kind }) => kind))).toEqual(new Set(removables.map(({ kind }) => kind)));
  expect(await schemaText(shop.url)).not.toContain("FOREIGN KEY");
  const result = await backAgain(session, second);
  expect(result).toMatchObject({ differences: [], failed: [] });
  expect(result.back).toHaveLength(removables.length);
  expect(await schemaText(shop.url)).toBe(before);
});

test("what definitions do not say comes back too", async () => {
  await using database = await freshDatabase("target", {
    sql: `
CREATE TABLE parent (id int PRIMARY KEY, code text CONSTRAINT code_key UNIQUE WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE child (id int, parent int CONSTRAINT "odd ""fk" REFERENCES parent ON DELETE SET NULL DEFERRABLE, n int NOT NULL CHECK (n > 0), label text,
  EXCLUDE USING btree (n WITH =) WITH (fillfactor = 60));
INSERT INTO parent VALUES (1, 'a');
INSERT INTO child SELECT i, 1, i, 'x' FROM generate_series(1, 20) i;
COMMENT ON CONSTRAINT "odd ""fk" ON child IS 'it''s a \\ key';
ALTER TABLE child ADD CONSTRAINT later CHECK (n < 15) NOT VALID;
ALTER TABLE child ADD CONSTRAINT later_fk FOREIGN KEY (n) REFERENCES parent NOT VALID;
CREATE INDEX child_label ON child (lower(label) text_pattern_ops, n DESC NULLS LAST) INCLUDE (parent) WITH (fillfactor = 50) WHERE n > 3;
ALTER INDEX child_label ALTER COLUMN 1 SET STATISTICS 500;
COMMENT ON INDEX child_label IS 'labels';
ALTER TABLE child CLUSTER ON child_n_excl;
CREATE INDEX parent_code ON parent (code); ALTER TABLE parent CLUSTER ON parent_code;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER a BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE child ENABLE ALWAYS TRIGGER a;
CREATE TRIGGER r BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE child ENABLE REPLICA TRIGGER r;
CREATE TRIGGER d BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE child DISABLE TRIGGER d;
ALTER TABLE child ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TABLE parts (id int NOT NULL, parent int REFERENCES parent, at date NOT NULL, UNIQUE (id, at), CHECK (id > 0)) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX parts_1_own ON parts_1 (id);
CREATE TABLE tree (id int NOT NULL, at date, note text) PARTITION BY RANGE (at);
CREATE TABLE tree_1 (id int NOT NULL, at date NOT NULL, note text, CONSTRAINT "own ""name" UNIQUE (id, at) WITH (fillfactor = 40)) PARTITION BY LIST (id);
CREATE TABLE tree_1_a (id int NOT NULL, at date NOT NULL, note text, CONSTRAINT leaf UNIQUE (id, at) WITH (fillfactor = 50));
ALTER TABLE tree_1 ATTACH PARTITION tree_1_a FOR VALUES IN (1);
COMMENT ON CONSTRAINT leaf ON tree_1_a IS 'of a leaf'; COMMENT ON INDEX leaf IS 'its index';
ALTER TABLE tree ATTACH PARTITION tree_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE tree ADD CONSTRAINT top UNIQUE (id, at);
CREATE TABLE free (a int, b int); CREATE TABLE bound (a int NOT NULL, b int NOT NULL, CHECK (b > 1)) INHERITS (free);
CREATE TABLE elder (a int NOT NULL CONSTRAINT above CHECK (a > 0)); CREATE TABLE own_too (a int NOT NULL CONSTRAINT above CHECK (a > 0)) INHERITS (elder);
CREATE TABLE second (b int NOT NULL); CREATE TABLE of_two () INHERITS (own_too, second);
CREATE TABLE base (a int CHECK (a > 0), b int NOT NULL); CREATE TABLE derived (c int) INHERITS (base);`,
  });
  const before = await schemaText(database.url);
  await using session = await open(database);
  await using second = await open(database);
  await takeOff(session, await everything(session), { run: "r1", purpose: "reload", signal });
  expect(await schemaText(database.url)).not.toMatch(/CREATE INDEX|CHECK \(\(n|FOREIGN KEY|EXCLUDE/);
  expect(await backAgain(session, second)).toMatchObject({ differences: [], failed: [] });
  expect(await schemaText(database.url)).toBe(before);
  expect(await database.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgditto'")).toEqual([]);
});

test.runIf(server("target").major >= 15)("what newer versions have comes back too", async () => {
  await using database = await freshDatabase("target", {
    sql: [
      `CREATE TABLE nulls (a int, b int, UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b) DEFERRABLE);`,
      ...(server("target").major < 18
        ? []
        : [
            `CREATE EXTENSION btree_gist; CREATE TABLE p (id int PRIMARY KEY, n int CONSTRAINT loose CHECK (n > 0) NOT ENFORCED, g int GENERATED ALWAYS AS (n * 2) VIRTUAL NOT NULL);
CREATE TABLE c (id int, n int REFERENCES p NOT ENFORCED, m int CONSTRAINT named NOT NULL NO INHERIT, at daterange, CONSTRAINT whole UNIQUE (id, at WITHOUT OVERLAPS));
COMMENT ON CONSTRAINT named ON c IS 'a name';
CREATE TABLE t (id int, at daterange, CONSTRAINT in_time FOREIGN KEY (id, PERIOD at) REFERENCES c (id, PERIOD at));
CREATE TABLE late (a int); INSERT INTO late VALUES (NULL); ALTER TABLE late ADD CONSTRAINT later NOT NULL a NOT VALID;
CREATE TABLE parts (a int REFERENCES p, b int) PARTITION BY LIST (b); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); INSERT INTO p VALUES (1, 1); INSERT INTO parts VALUES (1, 1);
CREATE TABLE apart (a int, b int) PARTITION BY LIST (a); CREATE TABLE apart_1 PARTITION OF apart FOR VALUES IN (1); ALTER TABLE apart ADD CONSTRAINT stays EXCLUDE USING gist (a WITH =, b WITH =);`,
          ]),
    ],
  });
  const before = await schemaText(database.url);
  await using session = await open(database);
  await using second = await open(database);
  await takeOff(session, await everything(session), { run: "r1", purpose: "reload", signal });
  expect(await schemaText(database.url)).not.toMatch(/UNIQUE|FOREIGN KEY|CHECK|NOT VALID|NOT ENFORCED/);
  expect(await backAgain(session, second)).toMatchObject({ differences: [], failed: [] });
  expect(await schemaText(database.url)).toBe(before);
});

test("rows that break a foreign key are shown; it is back NOT VALID, and valid once they are gone", async () => {
  await using database = await freshDatabase("target", {
    sql: `CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE child (a int, b int, CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES parent);
INSERT INTO parent VALUES (1, 1);`,
  });
  const before = await schemaText(database.url);
  await using session = await open(database);
  await using second = await open(database);
  await takeOff(session, await everything(session), { run: "r1", purpose: "reload", signal });
  await database.sql("INSERT INTO child VALUES (1, 1), (1, 7), (1, 7), (NULL, 8), (9, 9)");
  const broken = await backAgain(session, second);
  expect(broken.failed).toEqual([]);
  expect(broken.differences).toEqual([
    {
      kind: "foreign-key",
      object: "public.child: fk",
      source: "refers to public.parent",
      target: "3 rows without a match: (a, b) = (1, 7), (9, 9)",
    },
  ]);
  await expect(database.sql("INSERT INTO child VALUES (5, 5)")).rejects.toThrow("violates foreign key constraint");
  expect((await readLedger(session)).map(({ state }) => state)).toEqual(["not-valid"]);
  await database.sql("DELETE FROM child WHERE b > 1");
  expect(await backAgain(session, second)).toMatchObject({ differences: [], failed: [] });
  expect(await schemaText(database.url)).toBe(before);
});
