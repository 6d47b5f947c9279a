import { describe, expect, test } from "vitest";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { copied, copy, expectSame, warningCodes } from "../support/fidelity.ts";
import { server } from "../support/servers.ts";

const major = Math.min(server("source").major, server("target").major);

describe("views and functions", () => {
  test("materialized views: chained, unpopulated, indexed, postponed behind a primary key; views in a loop", async () => {
    await using both = await copied({
      sql: `
      CREATE TABLE t (id int PRIMARY KEY, a text, b numeric);
      INSERT INTO t SELECT n, 'a' || n % 10, n FROM generate_series(1, 500) n;
      -- depends on the primary key: pg_dump puts it behind the constraint
      CREATE MATERIALIZED VIEW z_first AS SELECT id, a, b, count(*) FROM t GROUP BY id;
      CREATE UNIQUE INDEX ON z_first (id);
      CREATE MATERIALIZED VIEW a_second AS SELECT a, sum(b) AS total FROM z_first GROUP BY a;
      CREATE INDEX ON a_second (total) WHERE total > 100;
      CREATE MATERIALIZED VIEW b_third WITH (fillfactor = 50) AS SELECT * FROM a_second WHERE total > (SELECT avg(total) FROM a_second);
      CREATE MATERIALIZED VIEW not_filled AS SELECT * FROM z_first WITH NO DATA;
      CREATE MATERIALIZED VIEW stale AS SELECT count(*) AS n FROM t;
      CREATE VIEW grouped AS SELECT t.*, count(*) FROM t GROUP BY t.id;
      CREATE VIEW on_grouped AS SELECT * FROM grouped; CREATE MATERIALIZED VIEW on_views AS SELECT * FROM on_grouped;
      CREATE INDEX ON on_views (a);
      CREATE INDEX b_third_idx ON b_third (a); ALTER MATERIALIZED VIEW b_third CLUSTER ON b_third_idx;
      COMMENT ON MATERIALIZED VIEW z_first IS 'postponed'; COMMENT ON COLUMN z_first.count IS 'one each'; COMMENT ON VIEW grouped IS 'postponed too';
      ALTER MATERIALIZED VIEW a_second ALTER COLUMN total SET STATISTICS 9;
      GRANT SELECT ON z_first, grouped TO PUBLIC;
      CREATE RULE upd AS ON UPDATE TO grouped DO INSTEAD UPDATE t SET a = NEW.a WHERE id = OLD.id;
      CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
      CREATE TRIGGER instead INSTEAD OF INSERT ON on_grouped FOR EACH ROW EXECUTE FUNCTION trg();
      ALTER VIEW grouped ALTER COLUMN a SET DEFAULT 'dflt';
      -- two views and a function that need each other
      CREATE VIEW loop_a AS SELECT 1 AS i; CREATE VIEW loop_b AS SELECT * FROM loop_a; CREATE OR REPLACE VIEW loop_a AS SELECT i FROM (SELECT 1 AS i WHERE false UNION ALL SELECT 2) x;
      CREATE TABLE rowtype (i int); CREATE FUNCTION of_row(rowtype) RETURNS int LANGUAGE sql AS 'SELECT $1.i'; CREATE VIEW uses_row AS SELECT of_row(r.*) FROM rowtype r;
      CREATE RECURSIVE VIEW nums (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM nums WHERE n < 5;
      CREATE VIEW checked WITH (security_barrier, check_option = cascaded) AS SELECT * FROM t WHERE id > 3;
      ${major >= 15 ? "CREATE VIEW invoker WITH (security_invoker) AS SELECT * FROM t;" : ""}
      `,
    });
    expect(await both.target.sql("SELECT count(*) FROM on_views")).toEqual([{ count: "500" }]);
  });

  test("views that select from each other in a circle", async () => {
    await using _ = await copied({
      sql: `CREATE TABLE t (i int); CREATE VIEW a AS SELECT i FROM t; CREATE VIEW b AS SELECT i FROM a;
        CREATE FUNCTION of_a() RETURNS SETOF a LANGUAGE sql AS 'SELECT 1'; CREATE OR REPLACE VIEW a AS SELECT i FROM t WHERE false UNION ALL SELECT i FROM of_a();`,
    });
    // A loop by a function's row type with a body that is parsed when it is created.
    if (major < 14) return;
    await using __ = await copied({
      sql: `CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a');
        CREATE FUNCTION atomic_count() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; SELECT count(*) FROM t WHERE id > 0; END;
        CREATE FUNCTION grouped() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT name FROM t GROUP BY id; END;
        CREATE PROCEDURE proc(INOUT n int) LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (n, 'x') ON CONFLICT (id) DO UPDATE SET name = 'y;'; SELECT n; END;
        CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE RETURN 1;
        CREATE TABLE uses (a int DEFAULT one(), b int GENERATED ALWAYS AS (one() + 1) STORED); INSERT INTO uses DEFAULT VALUES;
        CREATE VIEW on_grouped AS SELECT * FROM grouped();
        CREATE MATERIALIZED VIEW mv AS SELECT * FROM on_grouped;`,
    });
  });

  test("functions of every kind, with settings, costs, support, defaults, variadic and table results", async () => {
    await using _ = await copied({
      sql: `
      CREATE FUNCTION a(x int DEFAULT 3, VARIADIC rest text[] DEFAULT '{}') RETURNS TABLE (n int, t text) LANGUAGE plpgsql STABLE STRICT LEAKPROOF PARALLEL SAFE COST 7 ROWS 9
        SET search_path = public, pg_temp SET work_mem = '3MB' SET "my.own" = 'x''y' SECURITY DEFINER AS $a$ BEGIN RETURN; END $a$;
      CREATE FUNCTION b(OUT x int, OUT y text, z anyelement) LANGUAGE sql AS $$ SELECT 1, '$b$; -- ' $$;
      CREATE FUNCTION "Odd ""f"" %s"("Arg 1" text) RETURNS text LANGUAGE sql AS $_$ SELECT $1 || '$$' || $$;$$ $_$;
      CREATE PROCEDURE p(INOUT a int, b text DEFAULT E'\\n;\\n') LANGUAGE plpgsql AS 'BEGIN COMMIT; END';
      CREATE FUNCTION win(int) RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
      CREATE FUNCTION overload(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION overload(text) RETURNS int LANGUAGE sql AS 'SELECT 2'; CREATE FUNCTION overload(int[]) RETURNS int LANGUAGE sql AS 'SELECT 3';
      COMMENT ON FUNCTION overload(text) IS 'the second'; REVOKE ALL ON FUNCTION overload(int[]) FROM PUBLIC;
      CREATE FUNCTION crlf() RETURNS text LANGUAGE sql AS E'SELECT 1::text;\\r\\n-- a\\r\\n\\tSELECT ''\\r'' || ''x''\\r\\n';
      CREATE FUNCTION state(numeric, int) RETURNS numeric LANGUAGE sql AS 'SELECT $1 + $2';
      CREATE AGGREGATE agg(int) (SFUNC = state, STYPE = numeric, INITCOND = '0', MSFUNC = state, MINVFUNC = state, MSTYPE = numeric, MINITCOND = '5', PARALLEL = SAFE);
      CREATE AGGREGATE hypo(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
      CREATE TABLE t (d text DEFAULT "Odd ""f"" %s"('a'), CHECK ("Odd ""f"" %s"(d) <> ''''), e int DEFAULT overload('x'::text));
      INSERT INTO t DEFAULT VALUES;
      CREATE INDEX ON t ((lower(d)), md5(d));
      DO $$ BEGIN EXECUTE 'CREATE FUNCTION long() RETURNS text LANGUAGE sql AS ' || quote_literal('SELECT ''' || repeat('ü€𝄞', 50000) || ''''); END $$;`,
    });
  });
});

describe("constraints", () => {
  test("of every kind stay what they are", async () => {
    await using both = await copied({
      sql: `
      CREATE TABLE p (id int PRIMARY KEY DEFERRABLE, a int, b text, UNIQUE (a, b) DEFERRABLE INITIALLY DEFERRED, UNIQUE (b) INCLUDE (a));
      INSERT INTO p SELECT n, n, 'b' || n FROM generate_series(1, 100) n;
      CREATE TABLE c (id int, p_b text REFERENCES p (b) MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, self int, other int);
      INSERT INTO c SELECT n, 'b' || (n % 100 + 1), n % 50 + 1, 999 FROM generate_series(1, 300) n;
      -- next
      ALTER TABLE c ADD CONSTRAINT c_pk PRIMARY KEY (id) WITH (fillfactor = 80), ADD FOREIGN KEY (self) REFERENCES c (id) DEFERRABLE;
      ALTER TABLE c ADD CONSTRAINT "broken fk" FOREIGN KEY (other) REFERENCES c (id) NOT VALID;
      ALTER TABLE c ADD CONSTRAINT "broken check" CHECK (other < 10 AND p_b <> ');') NOT VALID, ADD CONSTRAINT fine CHECK (id > 0), ADD CHECK (self > 0) NO INHERIT;
      CREATE UNIQUE INDEX made_by_hand ON c (id, self) INCLUDE (other); ALTER TABLE c ADD CONSTRAINT from_index UNIQUE USING INDEX made_by_hand;
      CREATE TABLE e (r int4range, s text, w box, EXCLUDE USING gist (r WITH &&) WHERE (s <> 'x'), CONSTRAINT boxes EXCLUDE USING gist (w WITH &&) DEFERRABLE INITIALLY DEFERRED,
        EXCLUDE USING hash (s WITH =), EXCLUDE ((lower(s)) WITH =));
      INSERT INTO e SELECT int4range(n, n + 1), 's' || n, box(point(n, n), point(n + 0.5, n + 0.5)) FROM generate_series(1, 100) n;
      ${major >= 15 ? "CREATE TABLE nn (a int, b int, UNIQUE NULLS NOT DISTINCT (a)); INSERT INTO nn VALUES (NULL, 1), (1, 2); CREATE UNIQUE INDEX ON nn (b) NULLS NOT DISTINCT;" : ""}
      ${major >= 15 ? "CREATE TABLE fk2 (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE sd (a int, b int, FOREIGN KEY (a, b) REFERENCES fk2 (a, b) ON DELETE SET NULL (b));" : ""}
      -- two tables that need each other
      CREATE TABLE hen (id int PRIMARY KEY, egg int NOT NULL); CREATE TABLE egg (id int PRIMARY KEY, hen int NOT NULL);
      INSERT INTO hen SELECT n, n FROM generate_series(1, 50) n; INSERT INTO egg SELECT n, 51 - n FROM generate_series(1, 50) n;
      ALTER TABLE hen ADD CONSTRAINT cycle FOREIGN KEY (egg) REFERENCES egg; ALTER TABLE egg ADD CONSTRAINT cycle FOREIGN KEY (hen) REFERENCES hen INITIALLY DEFERRED;
      ALTER TABLE hen ALTER CONSTRAINT cycle DEFERRABLE;
      COMMENT ON CONSTRAINT cycle ON hen IS 'which was first?';
      -- a foreign key to a partitioned table, on one, and between two
      CREATE TABLE pt (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k); CREATE TABLE pt1 PARTITION OF pt FOR VALUES IN (1); CREATE TABLE pt2 PARTITION OF pt FOR VALUES IN (2) PARTITION BY HASH (id);
      CREATE TABLE pt2a PARTITION OF pt2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
      INSERT INTO pt SELECT n, n % 2 + 1 FROM generate_series(1, 200) n;
      CREATE TABLE ot (id int, k int, FOREIGN KEY (id, k) REFERENCES pt) PARTITION BY LIST (k); CREATE TABLE ot1 PARTITION OF ot FOR VALUES IN (1); CREATE TABLE ot2 (k int, gone int, id int); ALTER TABLE ot2 DROP COLUMN gone; ALTER TABLE ot ATTACH PARTITION ot2 DEFAULT;
      INSERT INTO ot SELECT n, n % 2 + 1 FROM generate_series(1, 100) n;
      CREATE TABLE one_part (id int, k int, FOREIGN KEY (id, k) REFERENCES pt1 (id, k)); INSERT INTO one_part SELECT id, k FROM pt1;
      ALTER TABLE ot1 ADD CONSTRAINT its_own FOREIGN KEY (id, k) REFERENCES pt1 (id, k) NOT VALID;
      ALTER TABLE pt1 ADD CONSTRAINT own_check CHECK (id > 0) NOT VALID;
      -- domains
      CREATE DOMAIN d AS int CONSTRAINT positive CHECK (VALUE > 0) NOT NULL DEFAULT 7;
      CREATE TABLE uses_d (d d); INSERT INTO uses_d VALUES (1), (2); ALTER DOMAIN d ADD CONSTRAINT small CHECK (VALUE < 2) NOT VALID; ALTER DOMAIN d ADD CONSTRAINT odd CHECK (VALUE <> 99);
      CREATE DOMAIN dd AS d CHECK (VALUE <> 5); CREATE DOMAIN arr AS d[] CHECK (array_length(VALUE, 1) < 5); CREATE TABLE uses_more (a dd, b arr); INSERT INTO uses_more VALUES (1, '{1,1}');
      COMMENT ON CONSTRAINT positive ON DOMAIN d IS 'a comment';`.split("-- next"),
    });
    expect(warningCodes(both.events)).toEqual([]);
  });

  test.runIf(major >= 18)(
    "of PostgreSQL 18: NOT ENFORCED, NOT NULL with a name or NOT VALID, WITHOUT OVERLAPS, virtual columns",
    async () => {
      await using _ = await copied({
        sql: `CREATE EXTENSION btree_gist;
      CREATE TABLE a (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2) VIRTUAL, n int CONSTRAINT "my not null" NOT NULL, m int);
      INSERT INTO a (id, n) SELECT n, n FROM generate_series(1, 10) n;
      ALTER TABLE a ADD CONSTRAINT later NOT NULL m NOT VALID, ADD CONSTRAINT off CHECK (n < 5) NOT ENFORCED;
      CREATE TABLE b (a int, CONSTRAINT off_fk FOREIGN KEY (a) REFERENCES a NOT ENFORCED); INSERT INTO b VALUES (77);
      CREATE TABLE t (id int, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS)); INSERT INTO t VALUES (1, '[2020-01-01,2021-01-01)'), (1, '[2021-01-01,2022-01-01)');
      CREATE TABLE u (id int, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES t (id, PERIOD during)); INSERT INTO u VALUES (1, '[2020-06-01,2021-06-01)');`,
      });
    },
  );
});

describe("triggers, rules and policies", () => {
  test("in the state they had, on partitions too, without firing while rows are copied", async () => {
    await using both = await copied({
      sql: `
      CREATE TABLE log (id serial, what text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log (what) VALUES (TG_NAME); RETURN COALESCE(NEW, OLD); END $$;
      CREATE TABLE t (id int, t text);
      CREATE TRIGGER normal BEFORE INSERT OR UPDATE OF t OR DELETE ON t FOR EACH ROW WHEN (pg_trigger_depth() < 3) EXECUTE FUNCTION note('a', 'it''s');
      CREATE TRIGGER always AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note(); CREATE TRIGGER replica AFTER INSERT ON t EXECUTE FUNCTION note(); CREATE TRIGGER disabled AFTER TRUNCATE ON t EXECUTE FUNCTION note();
      CREATE TRIGGER transition AFTER INSERT ON t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note();
      CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t FROM log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
      ALTER TABLE t ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica, DISABLE TRIGGER disabled;
      INSERT INTO t SELECT n FROM generate_series(1, 20) n;
      -- next
      CREATE TABLE parts (id int, t text) PARTITION BY RANGE (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20) PARTITION BY LIST (t); CREATE TABLE parts_2a PARTITION OF parts_2 DEFAULT;
      CREATE TRIGGER down AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION note(); CREATE TRIGGER down_always AFTER UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION note();
      ALTER TABLE parts ENABLE ALWAYS TRIGGER down_always; ALTER TABLE parts_1 DISABLE TRIGGER down; CREATE TRIGGER own AFTER INSERT ON parts_2a FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE parts_2a DISABLE TRIGGER own;
      INSERT INTO parts SELECT n, 'x' FROM generate_series(1, 15) n;
      COMMENT ON TRIGGER normal ON t IS 'normal';
      CREATE RULE nothing AS ON DELETE TO t DO INSTEAD NOTHING; CREATE RULE also AS ON INSERT TO t WHERE NEW.id > 100 DO ALSO (INSERT INTO log (what) VALUES ('rule;'); UPDATE log SET what = 'x' WHERE false);
      ALTER TABLE t DISABLE RULE also; ALTER TABLE t ENABLE ALWAYS RULE nothing; COMMENT ON RULE nothing ON t IS 'no deletes';
      CREATE RULE parts_rule AS ON UPDATE TO parts_1 DO ALSO NOTHING;
      ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE parts FORCE ROW LEVEL SECURITY;
      CREATE POLICY a ON t USING (id > 3) WITH CHECK (id < 1000); CREATE POLICY b ON t AS RESTRICTIVE FOR SELECT TO CURRENT_USER USING (EXISTS (SELECT FROM log WHERE log.id = t.id)); CREATE POLICY "no ins" ON t FOR INSERT WITH CHECK (false);
      CREATE POLICY on_part ON parts_1 FOR DELETE USING (true); COMMENT ON POLICY a ON t IS 'see more than three';
      -- event triggers that would stop the copy, or write rows, if they were there too early
      CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped by %', TG_TAG; END $$;
      CREATE EVENT TRIGGER et_disabled ON ddl_command_start EXECUTE FUNCTION stop(); ALTER EVENT TRIGGER et_disabled DISABLE;
      CREATE EVENT TRIGGER et_replica ON sql_drop WHEN TAG IN ('DROP TABLE', 'DROP VIEW') EXECUTE FUNCTION stop(); ALTER EVENT TRIGGER et_replica ENABLE REPLICA;
      CREATE EVENT TRIGGER et_rewrite ON table_rewrite EXECUTE FUNCTION stop(); COMMENT ON EVENT TRIGGER et_rewrite IS 'c';
      CREATE EVENT TRIGGER et_always ON ddl_command_end EXECUTE FUNCTION stop(); ALTER EVENT TRIGGER et_always ENABLE ALWAYS;`.split(
        "-- next",
      ),
    });
    expect(await both.target.sql("SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1")).toEqual([
      { evtname: "et_always", evtenabled: "A" },
      { evtname: "et_disabled", evtenabled: "D" },
      { evtname: "et_replica", evtenabled: "R" },
      { evtname: "et_rewrite", evtenabled: "O" },
    ]);
  });
});

describe("types and operators", () => {
  test("base types, shells, ranges, casts, operator classes, collations, text search, access methods, foreign data, transforms", async () => {
    await using _ = await copied({
      sql: `
      CREATE TYPE shell; CREATE TYPE myint;
      CREATE FUNCTION myint_in(cstring) RETURNS myint LANGUAGE internal IMMUTABLE STRICT AS 'int4in'; CREATE FUNCTION myint_out(myint) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
      CREATE FUNCTION myint_recv(internal) RETURNS myint LANGUAGE internal IMMUTABLE STRICT AS 'int4recv'; CREATE FUNCTION myint_send(myint) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'int4send';
      CREATE TYPE myint (INPUT = myint_in, OUTPUT = myint_out, RECEIVE = myint_recv, SEND = myint_send, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4, CATEGORY = 'N', DEFAULT = '42');
      CREATE CAST (myint AS int) WITHOUT FUNCTION AS IMPLICIT; CREATE CAST (int AS myint) WITHOUT FUNCTION AS ASSIGNMENT; CREATE CAST (myint AS text) WITH INOUT;
      CREATE TYPE noio; CREATE FUNCTION noio_in(cstring) RETURNS noio LANGUAGE internal IMMUTABLE STRICT AS 'textin'; CREATE FUNCTION noio_out(noio) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
      CREATE TYPE noio (INPUT = noio_in, OUTPUT = noio_out, LIKE = text);
      CREATE FUNCTION myint_cmp(myint, myint) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp'; CREATE FUNCTION myint_lt(myint, myint) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt'; CREATE FUNCTION myint_eq(myint, myint) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq'; CREATE FUNCTION myint_gt(myint, myint) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt'; CREATE FUNCTION myint_hash(myint) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'hashint4';
      CREATE OPERATOR < (LEFTARG = myint, RIGHTARG = myint, FUNCTION = myint_lt, COMMUTATOR = >, RESTRICT = scalarltsel, JOIN = scalarltjoinsel); CREATE OPERATOR = (LEFTARG = myint, RIGHTARG = myint, FUNCTION = myint_eq, COMMUTATOR = =, HASHES, MERGES); CREATE OPERATOR > (LEFTARG = myint, RIGHTARG = myint, FUNCTION = myint_gt, COMMUTATOR = <);
      CREATE OPERATOR FAMILY fam USING btree; CREATE OPERATOR CLASS myint_ops DEFAULT FOR TYPE myint USING btree FAMILY fam AS OPERATOR 1 <, OPERATOR 3 =, OPERATOR 5 >, FUNCTION 1 myint_cmp(myint, myint);
      CREATE OPERATOR CLASS myint_hash_ops DEFAULT FOR TYPE myint USING hash AS OPERATOR 1 =, FUNCTION 1 myint_hash(myint);
      CREATE TYPE myrange AS RANGE (SUBTYPE = myint, SUBTYPE_OPCLASS = myint_ops);
      CREATE FUNCTION lendiff(text, text) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT (length($1) - length($2))::float8';
      CREATE COLLATION german (provider = libc, locale = 'C'); CREATE TYPE textrange AS RANGE (SUBTYPE = text, COLLATION = german, SUBTYPE_DIFF = lendiff);
      CREATE TABLE t (a myint PRIMARY KEY, b myint[], r myrange, tr textrange, n noio, rs myrange[]); CREATE INDEX ON t USING hash (a); CREATE INDEX ON t USING gist (tr);
      INSERT INTO t SELECT n::myint, ARRAY[n::myint, NULL], myrange(n::myint, (n + 5)::myint), textrange('a' || n, NULL), NULL, NULL FROM generate_series(1, 50) n;
      CREATE TYPE empty_enum AS ENUM (); CREATE TYPE e AS ENUM ('b', 'a'); ALTER TYPE e ADD VALUE 'between' BEFORE 'a'; ALTER TYPE e ADD VALUE 'it''s'; -- next
      CREATE TABLE uses_e (e e, es e[], ee empty_enum);
      INSERT INTO uses_e SELECT x, ARRAY[x, NULL] FROM unnest(enum_range(NULL::e)) x; CREATE INDEX ON uses_e (e);
      CREATE TYPE comp AS (a int, "B c" text COLLATE "C", e e, inner_arr int[]); CREATE TYPE empty_comp AS (); CREATE TYPE nested AS (c comp, cs comp[]); ALTER TYPE comp ADD ATTRIBUTE late numeric; ALTER TYPE comp DROP ATTRIBUTE a;
      CREATE TABLE uses_comp (c comp, cs comp[], n nested, ns nested[]); INSERT INTO uses_comp VALUES (ROW('x,"y', 'a', '{1,NULL}', 2), ARRAY[ROW('(', 'b', NULL, NULL)::comp, NULL], ROW(NULL, ARRAY[ROW('\\', NULL, '{}', 1)::comp])::nested, NULL);
      COMMENT ON COLUMN comp."B c" IS 'an attribute'; COMMENT ON TYPE e IS 'an enum';
      CREATE OPERATOR public.%% (RIGHTARG = text, FUNCTION = pg_catalog.upper); COMMENT ON OPERATOR public.%% (NONE, text) IS 'a prefix operator';
      CREATE TEXT SEARCH PARSER my_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline); CREATE TEXT SEARCH TEMPLATE my_template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
      CREATE TEXT SEARCH DICTIONARY my_dict (TEMPLATE = my_template, stopwords = 'english', accept = false); CREATE TEXT SEARCH CONFIGURATION my_config (PARSER = my_parser); ALTER TEXT SEARCH CONFIGURATION my_config ADD MAPPING FOR asciiword, word WITH my_dict, simple;
      CREATE TABLE searched (id int, t text, v tsvector GENERATED ALWAYS AS (to_tsvector('public.my_config', t)) STORED); INSERT INTO searched (id, t) VALUES (1, 'The quick brown fox'); CREATE INDEX ON searched USING gin (to_tsvector('english', t)); CREATE INDEX ON searched USING gist (v);
      CREATE ACCESS METHOD my_heap TYPE TABLE HANDLER heap_tableam_handler; CREATE ACCESS METHOD my_btree TYPE INDEX HANDLER bthandler; CREATE TABLE in_my_heap (id int) USING my_heap; INSERT INTO in_my_heap SELECT generate_series(1, 30); CREATE MATERIALIZED VIEW mv_in_my_heap USING my_heap AS SELECT * FROM in_my_heap; CREATE TABLE back_in_heap (i int);
      COMMENT ON ACCESS METHOD my_heap IS 'am';
      CREATE FOREIGN DATA WRAPPER fdw OPTIONS (debug 'true'); CREATE SERVER s TYPE 't' VERSION 'v''1' FOREIGN DATA WRAPPER fdw OPTIONS ("host" 'x y'); CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'se''cret'); CREATE USER MAPPING FOR CURRENT_USER SERVER s;
      CREATE FOREIGN TABLE ft (id int OPTIONS (name 'ID') NOT NULL DEFAULT 3, t text COLLATE "C", CHECK (id > 0)) SERVER s OPTIONS (table 'T'); COMMENT ON FOREIGN TABLE ft IS 'far'; ALTER FOREIGN TABLE ft ALTER t SET STATISTICS 5;
      CREATE TABLE fparent (id int) PARTITION BY LIST (id); CREATE FOREIGN TABLE fpart PARTITION OF fparent FOR VALUES IN (1) SERVER s; CREATE TABLE lpart PARTITION OF fparent DEFAULT; INSERT INTO fparent VALUES (2), (3);
      CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; CREATE FUNCTION my_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler'; CREATE LANGUAGE second_sql HANDLER my_handler; CREATE FUNCTION in_second() RETURNS int LANGUAGE second_sql AS 'BEGIN RETURN 1; END'; COMMENT ON LANGUAGE second_sql IS 'pl';`.split(
        "-- next",
      ),
    });
  });

  test("publications of every kind, and subscriptions that stay disabled", async () => {
    await using source = await freshDatabase("source", {
      sql: `CREATE TABLE t (id int PRIMARY KEY, a text, b int); INSERT INTO t VALUES (1, 'a', 2); CREATE SCHEMA s; CREATE TABLE s.u (id int PRIMARY KEY);
      CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE parts_1 PARTITION OF parts DEFAULT;
      CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION "Some ""tables""" FOR TABLE t, ONLY s.u WITH (publish = 'insert, truncate'); CREATE PUBLICATION nothing; COMMENT ON PUBLICATION everything IS 'all';
      ${major >= 13 ? "CREATE PUBLICATION root FOR TABLE parts WITH (publish_via_partition_root);" : ""}
      ${major >= 15 ? "CREATE PUBLICATION filtered FOR TABLE t WHERE (id > 3 AND a <> ');'), TABLES IN SCHEMA s; CREATE PUBLICATION columns FOR TABLE t (id, b);" : ""}`,
    });
    await source.sql(
      `CREATE SUBSCRIPTION "From far" CONNECTION 'host=nowhere.invalid dbname=x password=geheim' PUBLICATION p1, "P 2" WITH (connect = false, slot_name = NONE${major >= 14 ? ", binary = true" : ""})`,
    );
    await using target = reservedDatabase("target");
    try {
      await copy(source, target);
      await expectSame(source, target);
      expect(
        await target.sql(
          "SELECT subname, subenabled FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
        ),
      ).toEqual([{ subname: "From far", subenabled: false }]);
      // A database with a subscription is replaced, too.
      await copy(source, target);
      await expectSame(source, target);
    } finally {
      for (const database of [source, target]) await database.sql('DROP SUBSCRIPTION IF EXISTS "From far"');
    }
  });
});
