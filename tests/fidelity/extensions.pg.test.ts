import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findServerBinaries } from "../../src/demo/binaries.ts";
import { startCluster } from "../../src/demo/cluster.ts";
import { sync, verify } from "../../src/index.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { copied, copy, databasesLike, schemaText } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { FAST, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const CONTRIB = [
  "citext",
  "hstore",
  "pg_trgm",
  "uuid-ossp",
  "btree_gist",
  "postgres_fdw",
  "ltree",
  "cube",
  "isn",
  "intarray",
  "unaccent",
  "pgcrypto",
  "tablefunc",
  "lo",
  "btree_gin",
];

async function missing(): Promise<string[]> {
  const found = await Promise.all(
    (["source", "target"] as const).map((side) => sql(urlOf(server(side), "postgres"), "SELECT name FROM pg_available_extensions")),
  );
  return CONTRIB.filter((name) => !found.every((rows) => rows.some((row) => row["name"] === name)));
}

const installed = (await missing()).length === 0;

describe.runIf(installed)("extensions of PostgreSQL's own", () => {
  test("with their types in columns, arrays, composites, domains, indexes and constraints, in schemas of their own", async () => {
    await using both = await copied({
      sql: `CREATE SCHEMA "Ext ü"; CREATE SCHEMA own;
      CREATE EXTENSION citext SCHEMA "Ext ü"; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm SCHEMA own; CREATE EXTENSION "uuid-ossp" SCHEMA "Ext ü"; CREATE EXTENSION btree_gist; CREATE EXTENSION postgres_fdw; CREATE EXTENSION ltree; CREATE EXTENSION cube; CREATE EXTENSION isn; CREATE EXTENSION intarray; CREATE EXTENSION unaccent; CREATE EXTENSION lo; CREATE EXTENSION btree_gin; CREATE EXTENSION tablefunc;
      COMMENT ON EXTENSION hstore IS 'our own comment';
      CREATE TYPE pair AS (h hstore, c "Ext ü".citext); CREATE DOMAIN mail AS "Ext ü".citext CHECK (VALUE ~ '@'); CREATE TYPE ltrange AS RANGE (subtype = ltree);
      CREATE TABLE t (id uuid DEFAULT "Ext ü".uuid_generate_v4() PRIMARY KEY, h hstore, c "Ext ü".citext UNIQUE, m mail, p pair, hs hstore[], cs "Ext ü".citext[], l ltree, ls ltree[], q lquery, cu cube, i isbn13, weak isbn, ia int[], pic lo, lr ltrange, ps pair[]);
      INSERT INTO t (h, c, m, p, hs, cs, l, ls, q, cu, i, ia, lr, ps, weak) SELECT hstore(ARRAY['a"' || n, 'b=>,', 'c', 'd'], ARRAY['1', E'\\\\', '', NULL]), 'Text' || n, 'A' || n || '@x', ROW('x=>1', 'Y')::pair, ARRAY['a=>1'::hstore, NULL, ''], ARRAY['A', NULL]::"Ext ü".citext[], ('Top.Science.n' || n)::ltree, ARRAY['a.b', '']::ltree[], '*{1,2}.a.!b*@|c%', cube(ARRAY[n, 1.5], ARRAY[n + 1, 2]), '978-0-393-04002-9', '{3,1,2}', ltrange('a.b', 'c'), ARRAY[ROW(NULL, 'z')::pair], '0-393-04002-X' FROM generate_series(1, 100) n;
      CREATE INDEX ON t USING gin (h); CREATE INDEX ON t USING gist (c own.gist_trgm_ops); CREATE INDEX ON t USING gin ((c::text) own.gin_trgm_ops); CREATE INDEX ON t USING gist (l); CREATE INDEX ON t USING gist (cu); CREATE INDEX ON t USING gin (ia gin__int_ops);
      CREATE TABLE rooms (room int, during tstzrange, name text, EXCLUDE USING gist (room WITH =, during WITH &&)); INSERT INTO rooms SELECT n, '[2020-01-01,2021-01-01)' FROM generate_series(1, 10) n;
      CREATE TRIGGER t_lo BEFORE UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION lo_manage(pic);
      CREATE TEXT SEARCH CONFIGURATION fr (COPY = french); ALTER TEXT SEARCH CONFIGURATION fr ALTER MAPPING FOR hword, word WITH unaccent, french_stem;
      CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x', port '1', connect_timeout '2'); CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user 'u', password 'it''s'); CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'v');
      CREATE FOREIGN TABLE far (id int, t text OPTIONS (column_name 'T')) SERVER elsewhere OPTIONS (schema_name 's', table_name 't');
      CREATE TABLE parts (id int, t text) PARTITION BY RANGE (id); CREATE TABLE near PARTITION OF parts FOR VALUES FROM (0) TO (10); CREATE FOREIGN TABLE far_part PARTITION OF parts FOR VALUES FROM (10) TO (20) SERVER elsewhere; INSERT INTO near SELECT n, 'x' FROM generate_series(1, 9) n;
      CREATE TABLE base (id int); CREATE FOREIGN TABLE far_child () INHERITS (base) SERVER elsewhere; INSERT INTO base VALUES (1);
      CREATE VIEW v AS SELECT c FROM t WHERE c OPERATOR("Ext ü".=) 'text7'; CREATE FUNCTION own.sim(text) RETURNS real LANGUAGE sql AS 'SELECT own.similarity($1, ''x'')';
      REVOKE EXECUTE ON FUNCTION own.similarity(text, text) FROM PUBLIC; GRANT USAGE ON FOREIGN SERVER elsewhere TO PUBLIC;`,
    });
    expect(await both.target.sql("SELECT count(*) FROM v")).toEqual([{ count: "1" }]);
    const ends = { source: both.source.url, target: both.target.url };
    expect((await verify(ends)).differences).toEqual([]);
    await both.target.sql("UPDATE t SET h = h || 'new=>1' WHERE l IS NOT DISTINCT FROM (SELECT l FROM t LIMIT 1)");
    expect((await verify(ends)).differences).toContainEqual(expect.objectContaining({ kind: "row", target: "other h" }));
  });

  test("an older version on the source becomes the target's, and its objects' own privileges stay", async () => {
    await using both = await copied({
      sql: `CREATE EXTENSION pgcrypto; CREATE TABLE t AS SELECT digest('x', 'sha256') AS d; CREATE FUNCTION f() RETURNS bytea LANGUAGE sql AS 'SELECT public.digest(''a'', ''md5'')'; GRANT EXECUTE ON FUNCTION digest(text, text) TO CURRENT_USER; REVOKE ALL ON FUNCTION digest(text, text) FROM PUBLIC`,
    });
    expect(await both.target.sql("SELECT length(f())")).toEqual([{ length: 16 }]);
  });

  test("--skip-extension leaves it out, with what is said about it; what needs it is named", async () => {
    await using source = await freshDatabase("source", {
      sql: "CREATE EXTENSION hstore; COMMENT ON EXTENSION hstore IS 'x'; CREATE EXTENSION unaccent; CREATE TABLE t AS SELECT 1 AS i",
    });
    await using target = reservedDatabase("target");
    await copy(source, target, { skipExtensions: ["hstore"] });
    expect(await target.sql("SELECT extname FROM pg_extension ORDER BY 1")).toEqual([{ extname: "plpgsql" }, { extname: "unaccent" }]);
    expect(await target.sql("SELECT i FROM t")).toEqual([{ i: 1 }]);
    await source.sql("CREATE TABLE needs (h hstore)");
    await expect(copy(source, target, { skipExtensions: ["hstore"] })).rejects.toMatchObject({
      code: "schema",
      object: expect.stringContaining("needs"),
      sqlstate: "42704",
    });
    expect(await target.sql("SELECT i FROM t")).toEqual([{ i: 1 }]);
    expect(await databasesLike(target)).toEqual([target.name]);
  });
});

/** PostgreSQL 18 reads control files from a folder of ours; the embedded server is one. */
test("an extension's configuration tables and sequences: only the rows of the condition, those of its script not twice", async () => {
  const binaries = await findServerBinaries({ prefer: "embedded", env: process.env });
  if (binaries.major < 18) return;
  const folder = await mkdtemp(join(tmpdir(), "extension-"));
  try {
    await chmod(folder, 0o755);
    await mkdir(join(folder, "extension"));
    await writeFile(join(folder, "extension", "conf.control"), "default_version = '1.0'\nrelocatable = false\nschema = 'conf'\n");
    await writeFile(
      join(folder, "extension", "conf--1.0.sql"),
      `CREATE TABLE "all rows" (id serial PRIMARY KEY, t text); CREATE TABLE extra (id int PRIMARY KEY, builtin boolean NOT NULL DEFAULT false, t text); CREATE TABLE fixed (i int); CREATE TABLE child (id int REFERENCES extra); CREATE SEQUENCE counter;
       INSERT INTO extra VALUES (1, true, 'comes with it'), (2, true, 'this too'); INSERT INTO fixed VALUES (1);
       CREATE TABLE a_first (id int REFERENCES "all rows");
       SELECT pg_extension_config_dump('"all rows"', ''); SELECT pg_extension_config_dump('"all rows_id_seq"', ''); SELECT pg_extension_config_dump('counter', ''); SELECT pg_extension_config_dump('extra', 'WHERE NOT builtin'); SELECT pg_extension_config_dump('child', ''); SELECT pg_extension_config_dump('a_first', 'WHERE id > 0');`,
    );
    await using cluster = await startCluster({ binaries, settings: { ...FAST, extension_control_path: `$system:${folder}` } });
    await sql(cluster.url("postgres"), "CREATE DATABASE main");
    const main = cluster.url("main");
    const archive = cluster.url("archive");
    await sql(
      main,
      `CREATE SCHEMA conf; CREATE EXTENSION conf; INSERT INTO conf."all rows" (t) SELECT 'r' || n FROM generate_series(1, 100) n; INSERT INTO conf.extra VALUES (3, false, 'ours'), (4, false, 'ours'); INSERT INTO conf.child VALUES (3), (1); INSERT INTO conf.a_first VALUES (7); SELECT setval('conf.counter', 42); CREATE TABLE public.plain AS SELECT 1 AS i`,
    );
    await sync({ source: main, target: archive, pgDump: "wasm", verify: "checksum" });
    expect(await contents(archive)).toEqual(await contents(main));
    // what the extension's script made is not compared, what is the user's is
    await sql(archive, "UPDATE conf.extra SET t = 'another version' WHERE builtin");
    expect((await verify({ source: main, target: archive, pgDump: "wasm" })).differences).toEqual([]);
    await sql(archive, "UPDATE conf.extra SET t = 'other' WHERE id = 4");
    expect((await verify({ source: main, target: archive, pgDump: "wasm" })).differences).toMatchObject([
      { kind: "checksum", object: "conf.extra" },
      { kind: "row", object: "conf.extra id=4", target: "other t" },
    ]);
    await sync({ source: main, target: archive, pgDump: "wasm" });
    expect(await schemaText(archive)).toBe(await schemaText(main));
    await sync({ source: main, target: archive, skipExtensions: ["conf"], pgDump: "wasm" });
    expect(Object.keys((await contents(archive))["tables"] as object)).toEqual(["public.plain"]);
    expect(await verify({ source: main, target: archive, skipExtensions: ["conf"], pgDump: "wasm" })).toMatchObject({
      differences: [],
      tables: 1,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
