import { expect, test } from "vitest";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { killedWhen, resume, SLOW_ONCE } from "../support/resume.ts";
import { sql } from "../support/sql.ts";

// A run that dies when everything but the last materialized view is there: indexes, keys, foreign keys, triggers, rules, policies, privileges.

const EVERYTHING = [
  SLOW_ONCE,
  `CREATE TABLE customers (id int PRIMARY KEY, name text UNIQUE, changed int DEFAULT 0);
   CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE, parent int REFERENCES orders, n int);
   CREATE TABLE quiet (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers);
   CREATE TABLE log (what text);
   CREATE TABLE parted (id int, day date, customer int REFERENCES customers, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
   CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
   CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
   CREATE INDEX ON parted (customer);
   CREATE TABLE secret (id int, owner text DEFAULT 'x'); ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON secret USING (owner = current_user);
   CREATE TABLE ruled (id int); CREATE RULE r AS ON DELETE TO ruled DO INSTEAD NOTHING;
   INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 1000) i;
   INSERT INTO orders SELECT i, 1 + i % 1000, CASE WHEN i > 1 THEN i - 1 END, i FROM generate_series(1, 3000) i;
   INSERT INTO quiet SELECT i, i FROM generate_series(1, 100) i;
   INSERT INTO parted SELECT i, '2026-01-01'::date + i % 59, 1 + i % 1000 FROM generate_series(1, 500) i;
   INSERT INTO secret SELECT i FROM generate_series(1, 50) i; INSERT INTO ruled SELECT generate_series(1, 50);
   CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.log VALUES (TG_OP || TG_TABLE_NAME); RETURN NULL; END$$;
   CREATE TRIGGER rows AFTER INSERT OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note();
   CREATE TRIGGER emptied AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION note();
   CREATE TRIGGER off AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE orders DISABLE TRIGGER off;
   CREATE TRIGGER parts AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION note();
   COMMENT ON TRIGGER rows ON orders IS 'told'; COMMENT ON CONSTRAINT orders_customer_fkey ON orders IS 'key';
   TRUNCATE log; INSERT INTO log VALUES ('only this');
   CREATE MATERIALIZED VIEW totals AS SELECT customer, count(*) AS n FROM orders GROUP BY customer;
   CREATE UNIQUE INDEX ON totals (customer);
   CREATE MATERIALIZED VIEW zz_last AS SELECT customer, slow_once(n, 60) FROM totals WHERE customer = 1;
   CREATE SEQUENCE ids START 5; SELECT nextval('ids');
   CREATE FUNCTION no_drops() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no drops'; END$$;
   CREATE EVENT TRIGGER refuses ON sql_drop EXECUTE FUNCTION no_drops();`,
];

test.each([
  ["nothing changed: nothing is made or filled again", "SELECT", /of the 8 copies of this plan, 8 /, []],
  [
    "rows of tables with keys, foreign keys and triggers on them",
    `UPDATE customers SET changed = 1 WHERE id = 5; DELETE FROM orders WHERE id > 2900; UPDATE parted SET customer = 7 WHERE id = 3;
     INSERT INTO secret VALUES (77); INSERT INTO ruled VALUES (77); SELECT nextval('ids'); REFRESH MATERIALIZED VIEW totals`,
    /, 2 .* Copied again: .*public\.customers: rows were written since/,
    ["emptied", "off", "orders_customer_fkey", "orders_parent_fkey", "parted_customer_fkey", "parts", "quiet_customer_fkey", "rows"],
  ],
])("%s", async (_what, change, expected, undone) => {
  await using source = await freshDatabase("source", { sql: EVERYTHING });
  await using target = reservedDatabase("target");
  const left = await killedWhen(source, target, isRefreshingTheLast);
  const before = await objectIds(left.url);
  await source.sql(change);
  const { code, told, stderr } = await resume(source, target);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(told).toMatch(expected);
  await expectSame(source, target);
  // what was not in the way is the same object as before
  const after = await objectIds(target.url);
  const gone = [...before].filter(([id]) => !after.has(id)).map(([, name]) => name);
  expect(gone.toSorted()).toEqual(undone);
});

async function isRefreshingTheLast(staging: { url: string }): Promise<boolean> {
  const rows = await sql(
    staging.url,
    "SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND query ~ 'REFRESH.*zz_last' AND state = 'active'",
  );
  return rows.length > 0;
}

/** What is still the same object has the same OID. */
async function objectIds(url: string): Promise<Map<string, string>> {
  const rows = await sql(
    url,
    `SELECT oid::text AS id, relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
     UNION ALL SELECT oid::text, conname FROM pg_constraint WHERE conparentid = 0 AND connamespace = 'public'::regnamespace
     UNION ALL SELECT oid::text, tgname FROM pg_trigger t WHERE NOT tgisinternal
       AND NOT EXISTS (SELECT FROM pg_inherits h JOIN pg_trigger p ON p.tgrelid = h.inhparent AND p.tgname = t.tgname WHERE h.inhrelid = t.tgrelid)`,
  );
  return new Map(rows.map((row) => [String(row["id"]), String(row["name"])]));
}
