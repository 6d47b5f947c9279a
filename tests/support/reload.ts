import { type FreshDatabase, freshDatabase, uniqueName } from "./databases.ts";
import { until } from "./cli-run.ts";
import { tableChecksums } from "./oracle.ts";
import { server, urlOf } from "./servers.ts";
import { openSession, quoteName, sql } from "./sql.ts";

/** One of everything that stands in the way of new rows: keys in and out of other tables, one to itself, triggers, indexes, identity, partitions. */
export const SALES = `
CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, boss int CONSTRAINT customers_boss_fkey REFERENCES customers);
CREATE TABLE orders (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customers, total numeric(10,2), doubled numeric GENERATED ALWAYS AS (total * 2) STORED);
CREATE TABLE parts (id int NOT NULL, "order" int REFERENCES orders, at date NOT NULL, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_25 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE parts_26 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX orders_total ON orders (total);
CREATE INDEX orders_shout ON orders ((total * 3)) WHERE total > 5;
CREATE INDEX parts_note ON parts (note);
COMMENT ON CONSTRAINT orders_customer_fkey ON orders IS 'who has bought it';
CREATE TABLE seen (what text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (TG_NAME || ' ' || TG_OP); RETURN NULL; END$$;
CREATE TRIGGER usual AFTER INSERT OR DELETE OR TRUNCATE ON orders EXECUTE FUNCTION see();
CREATE TRIGGER whatever AFTER INSERT OR DELETE ON customers EXECUTE FUNCTION see();
ALTER TABLE customers ENABLE ALWAYS TRIGGER whatever`;

/** What the source holds of it; both databases begin with these rows. */
export const SOLD = `
INSERT INTO customers (name, boss) SELECT 'n' || g, NULLIF(g - 1, 0) FROM generate_series(1, 300) g;
INSERT INTO orders (customer, total) SELECT 1 + g % 300, g / 7.0 FROM generate_series(1, 2000) g;
INSERT INTO parts SELECT g, 1 + g % 2000, date '2025-01-01' + g % 700, 'p' || g FROM generate_series(1, 1500) g;
TRUNCATE seen`;

/** Years of work there: rows that are to go, and things that are to stay. */
export const WORKED_ON = `
UPDATE customers SET name = 'old ' || name; DELETE FROM parts WHERE id % 3 = 0; DELETE FROM orders WHERE id > 1800 AND id NOT IN (SELECT "order" FROM parts);
INSERT INTO customers (name) SELECT 'only here ' || g FROM generate_series(1, 50) g;
CREATE TABLE reports (id int PRIMARY KEY, "order" int REFERENCES orders); INSERT INTO reports VALUES (1, 5), (2, 7);
CREATE VIEW busy AS SELECT customer, count(*) AS n FROM orders GROUP BY 1;
CREATE MATERIALIZED VIEW summary AS SELECT sum(n) AS n FROM busy;
TRUNCATE seen`;

export interface Pair extends AsyncDisposable {
  source: FreshDatabase;
  target: FreshDatabase;
}

/** The same schema on both sides, filled, and changed since on the target. */
export async function salesPair(more: { source?: string; target?: string; options?: string } = {}): Promise<Pair> {
  const source = await freshDatabase("source", { sql: [SALES, SOLD, more.source ?? ""] });
  try {
    const target = await freshDatabase("target", {
      sql: [SALES, SOLD, WORKED_ON, more.target ?? ""],
      ...(more.options !== undefined && { options: more.options }),
    });
    return {
      source,
      target,
      async [Symbol.asyncDispose]() {
        await target[Symbol.asyncDispose]();
        await source[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** A role on the target that may log in and nothing else, for as long as the work takes; `as` is the target's URL with it. */
export async function withPlainRole(target: FreshDatabase, work: (role: string, as: string) => Promise<void>): Promise<void> {
  const admin = urlOf(server("target"), "postgres");
  const role = uniqueName("plain");
  await sql(admin, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  try {
    await work(role, urlOf({ ...server("target"), user: role, password: "secret" }, target.name));
  } finally {
    await sql(target.url, `REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}`);
    await sql(admin, `REVOKE ALL ON DATABASE ${quoteName(target.name)} FROM ${role}; DROP ROLE ${role}`);
  }
}

/** Gives the role everything in the schema public, and the right to make the ledger's schema. */
export async function ownAll(target: FreshDatabase, role: string): Promise<void> {
  await target.sql(`DO $$ DECLARE t record; BEGIN
  FOR t IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO ${role}', t.name);
  END LOOP; EXECUTE format('GRANT CREATE ON DATABASE %I TO ${role}', current_database()); END $$`);
}

/** Makes a run wait while it fills `orders` of the target, until whoever holds the gate gives it back. */
export const GATE = `CREATE FUNCTION gate(int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN
  IF current_setting('application_name') LIKE 'pgditto %' AND $1 = 1900 THEN PERFORM pg_advisory_xact_lock(4711); END IF; RETURN true; END$$;
  ALTER TABLE orders ADD CHECK (gate(id))`;

export interface Gate extends AsyncDisposable {
  /** Resolves when a run waits, with its backend's pid. */
  reached: () => Promise<number>;
  open: () => Promise<void>;
}

export async function closeGate({ url }: { url: string }): Promise<Gate> {
  const session = await openSession(url);
  await session.query("SELECT pg_advisory_lock(4711)");
  return {
    reached: async () => {
      const [row] = await until(async () => {
        const found = await sql(url, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted");
        return found.length > 0 && found;
      });
      return Number(row?.["pid"]);
    },
    open: async () => {
      await session.query("SELECT pg_advisory_unlock(4711)");
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** What has reached the server goes on for a moment after its client is gone. */
export async function untilQuiet({ url }: { url: string }): Promise<void> {
  const left = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'pgditto%' AND datname = current_database()";
  await until(async () => (await sql(url, left)).length === 0);
}

/** Rows of the tables of `SALES` that are reloaded. */
export async function soldRows(url: string): Promise<Record<string, unknown>> {
  const all = await tableChecksums(url);
  return Object.fromEntries(SOLD_TABLES.map((name) => [name, all[name]]));
}

export const SOLD_TABLES = ["public.customers", "public.orders", "public.parts_25", "public.parts_26"];
