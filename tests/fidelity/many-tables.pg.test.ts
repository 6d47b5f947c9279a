import { expect, test } from "vitest";
import { copied } from "../support/fidelity.ts";

/** More tables than one connection creates alone, and between them whatever ties tables to each other and to other things. */
const MANY = `
  DO $$ BEGIN FOR i IN 1..230 LOOP
    EXECUTE format('CREATE TABLE m%s (id serial PRIMARY KEY, t text DEFAULT %L, n int REFERENCES m%s)', i, 'x' || i, CASE WHEN i = 1 THEN 1 ELSE i / 2 + (i = 1)::int END);
    EXECUTE format('INSERT INTO m%s (t) SELECT md5(g::text) FROM generate_series(1, 3) g', i);
    EXECUTE format('COMMENT ON COLUMN m%s.t IS %L', i, 'about ' || i);
  END LOOP; END $$;
  CREATE VIEW a_view AS SELECT id, t FROM m1;
  CREATE FUNCTION a_function(m2) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ($1).id';
  CREATE TABLE a1 (i int CHECK (a_function(ROW(i, 'x', NULL)::m2) > 0)); INSERT INTO a1 VALUES (4);
  CREATE TABLE a2 (v a_view, ms m3[], one m4); INSERT INTO a2 VALUES (ROW(1, 'a'), ARRAY[ROW(1, 'b', NULL)::m3], ROW(2, 'c', 1));
  CREATE TABLE a3 () INHERITS (a1); CREATE TABLE a4 (extra int) INHERITS (m5, a1);
  CREATE TYPE a_pair AS (one m6, two int); CREATE DOMAIN a_domain AS m7 CHECK ((VALUE).id > 0); CREATE TABLE a5 (p a_pair, ps a_pair[], d a_domain, ds a_domain[]);
  INSERT INTO a5 VALUES (ROW(ROW(1, 'x', 2), 3), ARRAY[ROW(NULL, 4)::a_pair], ROW(1, 'y', 2), NULL);
  CREATE SEQUENCE shared; CREATE TABLE a6 (i int DEFAULT nextval('shared')); CREATE TABLE a7 (i bigint DEFAULT nextval('shared'), j int GENERATED ALWAYS AS IDENTITY); INSERT INTO a6 DEFAULT VALUES; INSERT INTO a7 DEFAULT VALUES;
  CREATE SEQUENCE owned OWNED BY a6.i;
  CREATE TABLE a8 (i int, m mood) PARTITION BY LIST (m); CREATE TABLE a9 PARTITION OF a8 FOR VALUES IN ('good'); CREATE TABLE b1 (m mood, i int); ALTER TABLE a8 ATTACH PARTITION b1 DEFAULT; INSERT INTO a8 VALUES (1, 'good'), (2, 'bad');
  CREATE TABLE b2 OF a_type; CREATE UNLOGGED TABLE b3 (LIKE m8 INCLUDING ALL);
  CREATE FUNCTION takes(m9) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).t'; CREATE TABLE b4 (i int, g text GENERATED ALWAYS AS (takes(ROW(i, 'x', NULL)::m9)) STORED); INSERT INTO b4 VALUES (1);
  CREATE VIEW c_view AS SELECT * FROM b4, a_view;`;

test("hundreds of tables, in whatever order they need each other", async () => {
  await using both = await copied({ sql: ["CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TYPE a_type AS (x int, y text)", MANY] });
  expect(both.events.some((event) => event.type === "task:done" && event.id === "pre-data:2")).toBe(true);
  expect(both.result.tables.length).toBeGreaterThan(240);
});
