import { describe, expect, test } from "vitest";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { copied, copy, expectSame, sameMajor, schemaText } from "../support/fidelity.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const major = Math.min(server("source").major, server("target").major);

describe("partitions", () => {
  test("four levels deep, in three schemas, with default partitions, columns in another order and dropped columns", async () => {
    await using both = await copied({
      sql: `
      CREATE SCHEMA a; CREATE SCHEMA b;
      CREATE TABLE a.events (region text NOT NULL, day date NOT NULL, kind int NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, gone int, payload text DEFAULT 'none',
        weight int GENERATED ALWAYS AS (kind * 2) STORED, CHECK (kind >= 0)) PARTITION BY LIST (region);
      ALTER TABLE a.events DROP COLUMN gone;
      CREATE TABLE a.eu PARTITION OF a.events FOR VALUES IN ('eu', 'EU', E'e''u\\n"\\\\') PARTITION BY RANGE (day);
      CREATE TABLE b.eu_old PARTITION OF a.eu FOR VALUES FROM (MINVALUE) TO ('2020-01-01') PARTITION BY HASH (kind);
      CREATE TABLE public.eu_old_0 PARTITION OF b.eu_old FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY RANGE (kind);
      CREATE TABLE a.eu_old_0_low PARTITION OF public.eu_old_0 FOR VALUES FROM (MINVALUE) TO (50);
      CREATE TABLE b.eu_old_0_rest PARTITION OF public.eu_old_0 DEFAULT;
      CREATE TABLE public.eu_old_1 PARTITION OF b.eu_old (payload DEFAULT 'its own', CONSTRAINT small CHECK (kind < 1000)) FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      CREATE TABLE b.eu_rest PARTITION OF a.eu DEFAULT;
      -- once a table of its own, with a key of its own, columns in another order, and holes
      CREATE TABLE public.us (x1 int, payload text, weight int GENERATED ALWAYS AS (kind * 2) STORED, day date NOT NULL, x2 int, id bigint NOT NULL, kind int NOT NULL CHECK (kind >= 0), region text NOT NULL, UNIQUE (id));
      ALTER TABLE public.us DROP COLUMN x1, DROP COLUMN x2;
      ALTER TABLE public.us ADD CONSTRAINT events_kind_check CHECK (kind >= 0);
      ALTER TABLE a.events ATTACH PARTITION public.us FOR VALUES IN ('us', NULL);
      CREATE TABLE a.other PARTITION OF a.events DEFAULT PARTITION BY RANGE (day);
      CREATE TABLE a.other_default PARTITION OF a.other DEFAULT;
      CREATE TABLE a.nothing_here PARTITION OF a.other FOR VALUES FROM ('1999-01-01') TO ('1999-01-02') PARTITION BY LIST (kind);
      `,
    });
    // Filled afterwards, and copied again over the first copy.
    await both.source.sql(`
      INSERT INTO a.events (region, day, kind, payload)
      SELECT (ARRAY['eu', 'EU', E'e''u\\n"\\\\', 'us', 'jp', ''])[n % 6 + 1], date '2019-06-01' + n % 500, n % 97, md5(n::text) FROM generate_series(1, 3000) n;
      CREATE UNIQUE INDEX everywhere ON a.events (id, region, day, kind);
      ALTER TABLE a.events ADD PRIMARY KEY (region, day, kind, id);
      CREATE INDEX only_top ON ONLY a.events (payload);
      CREATE INDEX by_payload ON public.us (payload);
      ALTER INDEX a.only_top ATTACH PARTITION public.by_payload;
      CREATE INDEX ON b.eu_old_0_rest (payload DESC);
      CREATE INDEX by_lower ON a.eu (lower(payload), day) WHERE kind > 3;
      COMMENT ON INDEX a.everywhere IS 'all the way down';
      ALTER TABLE a.eu_old_0_low ALTER COLUMN payload SET STATISTICS 7;
      CREATE TABLE a.refs (region text, day date, kind int, id bigint, FOREIGN KEY (region, day, kind, id) REFERENCES a.events ON DELETE CASCADE);
      INSERT INTO a.refs SELECT region, day, kind, id FROM a.events WHERE id % 7 = 0;
      CREATE TABLE a.parent (id bigint PRIMARY KEY);
      INSERT INTO a.parent SELECT id FROM a.events;
      ALTER TABLE a.events ADD CONSTRAINT to_parent FOREIGN KEY (id) REFERENCES a.parent;
      CREATE TABLE a.self (id int, up int, PRIMARY KEY (id)) PARTITION BY HASH (id);
      CREATE TABLE a.self_0 PARTITION OF a.self FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE a.self_1 PARTITION OF a.self FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      ALTER TABLE a.self ADD FOREIGN KEY (up) REFERENCES a.self DEFERRABLE INITIALLY DEFERRED;
      INSERT INTO a.self SELECT n, 101 - n FROM generate_series(1, 100) n;
    `);
    await copy(both.source, both.target);
    await expectSame(both.source, both.target);
  });

  test("a partition that is detached, a table that is partitioned by an expression, enum or domain", async () => {
    await using _ = await copied({
      sql: `
      CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
      CREATE FUNCTION half(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
      CREATE TABLE moods (m mood, p positive) PARTITION BY LIST (m);
      CREATE TABLE moods_sad PARTITION OF moods FOR VALUES IN ('sad');
      CREATE TABLE moods_more PARTITION OF moods FOR VALUES IN ('happy', 'ok');
      INSERT INTO moods SELECT (enum_range(NULL::mood))[n % 3 + 1], n FROM generate_series(1, 100) n;
      CREATE TABLE halves (a int, b text COLLATE "C") PARTITION BY RANGE (half(a), b COLLATE "POSIX" text_pattern_ops);
      CREATE TABLE halves_1 PARTITION OF halves FOR VALUES FROM (0, 'a') TO (9, 'b');
      CREATE TABLE halves_2 PARTITION OF halves FOR VALUES FROM (10, MINVALUE) TO (MAXVALUE, MAXVALUE);
      INSERT INTO halves SELECT n, 'a' || n FROM generate_series(2, 200) n WHERE n NOT IN (18, 19);
      CREATE TABLE was_part PARTITION OF moods DEFAULT;
      INSERT INTO moods VALUES (NULL, NULL);
      ALTER TABLE moods DETACH PARTITION was_part;
      -- hash by enum: each row must lie in the same partition on the other server
      CREATE TABLE hashed (m mood, p positive, t text) PARTITION BY HASH (p, t);
      CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
      CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
      CREATE TABLE hashed_2 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2);
      INSERT INTO hashed SELECT (enum_range(NULL::mood))[n % 3 + 1], n, n FROM generate_series(1, 100) n;`,
    });
  });

  test("hash partitions by an enum, whose rows fall into other partitions on another server", async () => {
    // Enums are hashed by OID; these have others there.
    await using source = await freshDatabase("source", {
      sql: `CREATE TYPE unlike AS ENUM ('x'); CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'a', 'b', 'c', 'd', 'e', 'f', 'g');
      CREATE TABLE top (k int, m mood, n int, g int GENERATED ALWAYS AS (n * 2) STORED, UNIQUE (k, m, n)) PARTITION BY LIST (k);
      CREATE TABLE plain PARTITION OF top FOR VALUES IN (1);
      CREATE TABLE by_mood PARTITION OF top FOR VALUES IN (2) PARTITION BY HASH (m);
      CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 0); CREATE TABLE by_mood_1 (n int, gone int, m mood, k int, g int GENERATED ALWAYS AS (n * 2) STORED); ALTER TABLE by_mood_1 DROP COLUMN gone; ALTER TABLE by_mood ATTACH PARTITION by_mood_1 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
      CREATE TABLE by_mood_2 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 2) PARTITION BY RANGE (n); CREATE TABLE by_mood_2_a PARTITION OF by_mood_2 FOR VALUES FROM (0) TO (50); CREATE TABLE by_mood_2_b PARTITION OF by_mood_2 DEFAULT;
      INSERT INTO top (k, m, n) SELECT n % 2 + 1, (enum_range(NULL::mood))[n % 10 + 1], n FROM generate_series(1, 1000) n;
      CREATE INDEX ON by_mood (n); CREATE INDEX ON by_mood_0 (g); CREATE TABLE refers (k int, m mood, n int, FOREIGN KEY (k, m, n) REFERENCES top (k, m, n)); INSERT INTO refers SELECT k, m, n FROM top WHERE n % 3 = 0;
      CREATE TABLE arrays (ms mood[]) PARTITION BY HASH (ms); CREATE TABLE arrays_0 PARTITION OF arrays FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE arrays_1 PARTITION OF arrays FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO arrays SELECT ARRAY[m, 'ok'] FROM top;`,
    });
    await using target = reservedDatabase("target");
    const { result } = await copy(source, target);
    expect(result.rows).toBe(1000 + 333 + 1000);
    for (const table of ["top", "by_mood", "plain", "arrays", "refers"]) {
      const rows = `SELECT count(*), md5(string_agg(t::text, ';' ORDER BY t::text)) AS hash FROM ${table} t`;
      expect(await target.sql(rows)).toEqual(await source.sql(rows));
    }
    if (sameMajor()) expect(await schemaText(target.url)).toBe(await schemaText(source.url));
    // A part of them only.
    await copy(source, target, { tables: ["by_mood_0", "by_mood_2"] });
    const some = "SELECT count(*), sum(n) AS sum FROM";
    expect(await target.sql(`${some} top`)).toEqual(
      await source.sql(`${some} (TABLE by_mood_0 UNION ALL SELECT k, m, n, g FROM by_mood_2) x`),
    );
  });
});

describe("inheritance", () => {
  test("from several parents, with columns in another order, merged, overridden and dropped", async () => {
    await using both = await copied({
      sql: `
      CREATE TABLE a (x int, y text DEFAULT 'a', dropped int);
      CREATE TABLE b (z numeric NOT NULL, y text, x int CHECK (x > 0));
      CREATE TABLE c (own date, z numeric NOT NULL DEFAULT 7, PRIMARY KEY (own)) INHERITS (b, a);
      CREATE TABLE d (x int NOT NULL, more text) INHERITS (c);
      CREATE TABLE late (z numeric NOT NULL, y text, x int, q int, CONSTRAINT b_x_check CHECK (x > 0));
      ALTER TABLE late INHERIT b;
      ALTER TABLE a DROP COLUMN dropped;
      ALTER TABLE a ADD COLUMN later int DEFAULT 3;
      ALTER TABLE ONLY b ADD CONSTRAINT only_here CHECK (z <> 5) NO INHERIT;
      ALTER TABLE c ALTER COLUMN y SET DEFAULT 'c';
      INSERT INTO a SELECT n, 'a' || n FROM generate_series(1, 50) n;
      INSERT INTO b SELECT n + 100, 'b' || n, n FROM generate_series(1, 50) n;
      INSERT INTO c (x, y, z, own, later) SELECT n, 'c' || n, n, date '2020-01-01' + n, n FROM generate_series(1, 50) n;
      INSERT INTO d (x, y, z, own, later, more) SELECT n, NULL, n, date '2020-01-01' + n, n, 'd' || n FROM generate_series(1, 50) n;
      INSERT INTO late SELECT n, 'l', n, n FROM generate_series(1, 50) n;
      CREATE INDEX ON a (x); CREATE INDEX ON d (more, x);
      CREATE VIEW over AS SELECT * FROM a; CREATE VIEW only_a AS SELECT * FROM ONLY a;
      CREATE TYPE composite AS (i int, t text);
      CREATE TABLE typed OF composite (PRIMARY KEY (i), t WITH OPTIONS DEFAULT 'x');
      INSERT INTO typed SELECT n FROM generate_series(1, 5) n;
      CREATE TABLE parent (LIKE a); CREATE TABLE no_longer () INHERITS (parent); ALTER TABLE no_longer NO INHERIT parent;`,
    });
    expect(await both.target.sql("SELECT count(*) FROM over")).toEqual([{ count: "150" }]);
  });
});

describe("columns", () => {
  test("1,600 of them; none at all; only generated ones; identity of both kinds", async () => {
    const many = Array.from({ length: 1600 }, (_, n) => `c${n} ${n % 3 === 0 ? "int" : n % 3 === 1 ? "boolean" : "smallint"}`);
    await using both = await copied({
      sql: `
      CREATE TABLE many (${many.join(", ")});
      INSERT INTO many (c0, c1, c1599) SELECT n, true, n FROM generate_series(1, 20) n;
      CREATE TABLE many_dropped (${many.slice(0, 1000).join(", ")});
      DO $$ BEGIN FOR n IN 0..998 LOOP EXECUTE format('ALTER TABLE many_dropped DROP COLUMN c%s', n); END LOOP; END $$;
      INSERT INTO many_dropped SELECT n FROM generate_series(1, 20) n;
      CREATE TABLE none (); INSERT INTO none SELECT FROM generate_series(1, 500);
      CREATE TABLE none_left (a int); INSERT INTO none_left VALUES (1), (2); ALTER TABLE none_left DROP COLUMN a;
      CREATE TABLE none_empty ();
      CREATE TABLE only_generated (g text GENERATED ALWAYS AS ('x' || 1::text) STORED, h int GENERATED ALWAYS AS (7) STORED);
      INSERT INTO only_generated SELECT FROM generate_series(1, 9);
      CREATE TABLE generated (a int, g int GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY, b text, h text GENERATED ALWAYS AS (b || '!') STORED);
      INSERT INTO generated (a, b) SELECT n, 'b' FROM generate_series(1, 100) n;
      CREATE TABLE always (id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME public."Odd seq" START 10 INCREMENT BY 5 CACHE 3), t text);
      INSERT INTO always (t) SELECT 'x' FROM generate_series(1, 10); INSERT INTO always OVERRIDING SYSTEM VALUE VALUES (-5, 'y');
      CREATE TABLE by_default (id smallint GENERATED BY DEFAULT AS IDENTITY (MINVALUE -5 START WITH -5 CYCLE), t text);
      INSERT INTO by_default (t) SELECT 'x' FROM generate_series(1, 3);
      CREATE TABLE never (id int GENERATED ALWAYS AS IDENTITY);
      CREATE TABLE serials (a smallserial, b serial, c bigserial); INSERT INTO serials DEFAULT VALUES; ALTER SEQUENCE serials_b_seq RESTART WITH 500;
      CREATE TABLE lent (id int); ALTER SEQUENCE serials_c_seq OWNED BY lent.id;`,
    });
    await both.target.sql("INSERT INTO always (t) VALUES ('next')");
    expect(await both.target.sql("SELECT max(id) FROM always")).toEqual([{ max: "70" }]);
  });

  test("storage, compression, statistics, options, fill factors, defaults with values of their own, missing values", async () => {
    await using _ = await copied({
      sql: `
      CREATE TABLE t (id int, plain text, ext text, main text) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_vacuum_threshold = 77, parallel_workers = 3);
      ALTER TABLE t ALTER plain SET STORAGE PLAIN, ALTER ext SET STORAGE EXTERNAL, ALTER main SET STORAGE MAIN,
        ALTER id SET STATISTICS 500, ALTER id SET (n_distinct = -0.5, n_distinct_inherited = 12);
      INSERT INTO t SELECT n, repeat('p', 100), repeat('e', 5000), repeat('m', 5000) FROM generate_series(1, 50) n;
      -- not a rewrite: rows from before have the value of that moment from the catalog
      ALTER TABLE t ADD COLUMN added timestamptz DEFAULT now(), ADD COLUMN fixed text NOT NULL DEFAULT 'was here';
      ALTER TABLE t ALTER COLUMN fixed SET DEFAULT 'is now';
      INSERT INTO t (id) VALUES (51);
      CREATE INDEX tuned ON t USING btree (id DESC NULLS LAST, fixed COLLATE "C" text_pattern_ops) INCLUDE (added) WITH (fillfactor = 60${major >= 13 ? ", deduplicate_items = off" : ""});
      CREATE INDEX tuned_brin ON t USING brin (id, added) WITH (pages_per_range = 4, autosummarize);
      CREATE INDEX tuned_gin ON t USING gin (string_to_array(main, 'x')) WITH (fastupdate = off);
      CREATE INDEX tuned_hash ON t USING hash (ext); CREATE INDEX tuned_spgist ON t USING spgist (fixed);
      CREATE INDEX expr ON t ((id + 1), lower(fixed)) WHERE id > 3 AND fixed IS NOT NULL;
      ALTER INDEX expr ALTER COLUMN 1 SET STATISTICS 300;
      ALTER INDEX expr RENAME TO "Expr x"; ALTER TABLE t CLUSTER ON tuned;
      CREATE UNLOGGED TABLE u (id serial PRIMARY KEY, t text); INSERT INTO u (t) SELECT md5(n::text) FROM generate_series(1, 100) n;
      CREATE TABLE full_identity (a int); ALTER TABLE full_identity REPLICA IDENTITY FULL;
      CREATE TABLE index_identity (a int NOT NULL, b int NOT NULL); CREATE UNIQUE INDEX idx_identity ON index_identity (b); ALTER TABLE index_identity REPLICA IDENTITY USING INDEX idx_identity;
      CREATE TABLE pk_identity (a int PRIMARY KEY); ALTER TABLE pk_identity REPLICA IDENTITY USING INDEX pk_identity_pkey;
      CREATE TABLE no_identity (a int PRIMARY KEY); ALTER TABLE no_identity REPLICA IDENTITY NOTHING;
      CREATE STATISTICS st_nd (ndistinct) ON id, fixed FROM t; ${major >= 13 ? "ALTER STATISTICS st_nd SET STATISTICS 250;" : ""}
      ${major >= 14 ? `CREATE STATISTICS st_expr ON (id % 10), lower(fixed), added FROM t; CREATE STATISTICS st_one ON (id / 2) FROM t;` : ""}
      ${major >= 14 ? `CREATE TABLE packed (a text COMPRESSION pglz, b text); INSERT INTO packed SELECT repeat(md5(n::text), 300), repeat(md5(n::text), 300) FROM generate_series(1, 20) n;` : ""}
      `,
    });
  });

  test.runIf(major >= 14)("lz4 columns, where both servers have it", async () => {
    for (const side of ["source", "target"] as const) {
      const rows = await sql(
        urlOf(server(side), "postgres"),
        "SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)",
      );
      if (rows.length === 0) return;
    }
    await using _ = await copied({
      sql: `CREATE TABLE packed (id int, a text COMPRESSION lz4, b text COMPRESSION pglz, c text);
        INSERT INTO packed SELECT n, repeat(md5(n::text), 3000), repeat(md5(n::text), 300), repeat('c', 90000) FROM generate_series(1, 20) n;
        CREATE MATERIALIZED VIEW mv AS SELECT * FROM packed; ALTER MATERIALIZED VIEW mv ALTER a SET COMPRESSION pglz;`,
    });
  });
});

describe("a database", () => {
  test("that is empty", async () => {
    await using both = await copied({});
    expect(both.result).toMatchObject({ tables: [], rows: 0 });
  });

  test("without schema public, or with a public that is not the usual one", async () => {
    await using _ = await copied({ sql: "DROP SCHEMA public; CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS i" });
    await using __ = await copied({
      sql: "COMMENT ON SCHEMA public IS 'ours'; GRANT ALL ON SCHEMA public TO PUBLIC; CREATE TABLE t AS SELECT 1 AS i",
    });
    await using both = await copied({ sql: "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.t AS SELECT 1 AS i" });
    expect(await both.target.sql("SELECT i FROM t")).toEqual([{ i: 1 }]);
    await using ___ = await copied({ sql: "REVOKE ALL ON SCHEMA public FROM PUBLIC; COMMENT ON SCHEMA public IS NULL" });
  });

  test("without plpgsql", async () => {
    await using _ = await copied({ sql: "DROP EXTENSION plpgsql; CREATE TABLE t AS SELECT 1 AS i" });
  });

  test("of 800 tables", async () => {
    await using source = await freshDatabase("source", {
      sql: Array.from(
        { length: 4 },
        (_, part) => `DO $$ BEGIN FOR n IN ${part * 200 + 1}..${part * 200 + 200} LOOP
        EXECUTE format('CREATE TABLE "Table %s" (id serial PRIMARY KEY, t text UNIQUE)', n);
        EXECUTE format('INSERT INTO "Table %s" (t) SELECT n::text FROM generate_series(1, %s) n', n, n % 5);
      END LOOP; END $$`,
      ),
    });
    await using target = reservedDatabase("target");
    const { result } = await copy(source, target);
    expect(result.tables).toHaveLength(800);
    const rows = `SELECT count(*), md5(string_agg(relname || query_to_xml(format('SELECT * FROM %I ORDER BY id', relname), true, true, '')::text, '' ORDER BY relname)) AS hash,
        (SELECT md5(string_agg(sequencename || last_value, ';' ORDER BY sequencename)) FROM pg_sequences) AS sequences
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`;
    expect(await target.sql(rows)).toEqual(await source.sql(rows));
    if (sameMajor()) expect(await schemaText(target.url)).toBe(await schemaText(source.url));
  }, 300_000);
});
