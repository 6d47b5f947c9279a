import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copy, databasesLike, expectSame, warningCodes } from "../support/fidelity.ts";
import { createTestRoles, dropTestRoles, roleName } from "../support/roles.ts";
import { runCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";
import { quoteName, sql } from "../support/sql.ts";

const SIDES = ["source", "target"] as const;
const prefix = uniqueName("pgditto_test");
const owner = roleName(prefix, "owner");
const reader = roleName(prefix, "reader");
const PASSWORD = "it's /@:?# scram";
const admin = (side: "source" | "target") => urlOf(server(side), "postgres");
const asRole = (side: "source" | "target", role: string, database: string) =>
  urlOf({ ...server(side), user: role, password: PASSWORD }, database);
/** Setting `pgditto.origin` needs a grant from PostgreSQL 15 on. */
const needsGrant = server("target").major >= 15;

beforeAll(async () => {
  for (const side of SIDES) {
    await createTestRoles((text) => sql(admin(side), text), prefix);
    await sql(
      admin(side),
      `ALTER ROLE ${quoteName(owner)} LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}'; ALTER ROLE ${quoteName(reader)} LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}'`,
    );
  }
  await sql(admin("target"), `ALTER ROLE ${quoteName(owner)} CREATEDB`);
});
afterAll(async () => {
  for (const side of SIDES) await dropTestRoles((text) => sql(admin(side), text), prefix);
});

/** What the owner makes for itself, in a database of its own. */
const OWN = `
  CREATE SCHEMA mine; CREATE TYPE mine.mood AS ENUM ('a', 'b'); CREATE TABLE mine.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mine.mood, t text); INSERT INTO mine.t (m, t) SELECT 'a', 'x' || n FROM generate_series(1, 500) n;
  CREATE TABLE mine.c (id int REFERENCES mine.t, d date) PARTITION BY RANGE (d); CREATE TABLE mine.c1 PARTITION OF mine.c DEFAULT; INSERT INTO mine.c SELECT n, '2020-01-01' FROM generate_series(1, 100) n; CREATE INDEX ON mine.c (d);
  CREATE VIEW mine.v AS SELECT * FROM mine.t; CREATE MATERIALIZED VIEW mine.mv AS SELECT count(*) FROM mine.v; CREATE FUNCTION mine.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER tr BEFORE INSERT ON mine.t FOR EACH ROW EXECUTE FUNCTION mine.f();
  ALTER TABLE mine.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON mine.t USING (id > 100); SELECT lo_from_bytea(4711, 'mine'); COMMENT ON LARGE OBJECT 4711 IS 'mine'; CREATE PUBLICATION pub FOR TABLE mine.c1;
  GRANT SELECT ON mine.t TO ${quoteName(reader)}; ALTER DEFAULT PRIVILEGES IN SCHEMA mine GRANT SELECT ON TABLES TO ${quoteName(reader)}; COMMENT ON TABLE mine.t IS 'c';`;

describe("without a superuser on either side", () => {
  test("an owner's database arrives; the missing mark is told, with both ways out, and --yes is needed next time", async () => {
    const name = uniqueName();
    await using source = await freshDatabase("source", { name, options: `OWNER ${quoteName(owner)}` });
    // up to PostgreSQL 14 public is a superuser's, and its owner cannot be copied without one (tests/regressions/never-less)
    await source.sql(`ALTER SCHEMA public OWNER TO ${quoteName(owner)}`);
    await sql(asRole("source", owner, name), OWN);
    await using target = reservedDatabase("target");
    const own = { source: { url: asRole("source", owner, name) }, target: { url: asRole("target", owner, target.name) } };
    const first = await copy(own.source, own.target);
    await expectSame(source, target);
    expect(await target.sql("SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database()")).toEqual([
      { owner },
    ]);
    if (needsGrant) {
      expect(warningCodes(first.events)).toEqual(["no-mark"]);
      const hint = first.events.find((event) => event.type === "message" && event.code === "no-mark");
      expect(hint).toMatchObject({ hint: expect.stringMatching(/--yes.*GRANT SET ON PARAMETER pgditto\.origin TO/s) });
      await expect(copy(own.source, own.target)).rejects.toMatchObject({ code: "not-confirmed" });
      await sql(admin("target"), `GRANT SET ON PARAMETER pgditto.origin TO ${quoteName(owner)}`);
    }
    try {
      expect(warningCodes((await copy(own.source, own.target, { yes: true, keepPrevious: true })).events)).toEqual([]);
      expect(warningCodes((await copy(own.source, own.target, { keepPrevious: true, yes: true })).events)).toEqual([]);
      await copy(own.source, own.target, { mode: "recreate", pgDump: "wasm" });
      await expectSame(source, target);
    } finally {
      if (needsGrant) await sql(admin("target"), `REVOKE SET ON PARAMETER pgditto.origin FROM ${quoteName(owner)}`);
    }
  });

  test("what the target's role may not do is found before: CREATEDB, somebody else's target, owners it may not give to", async () => {
    await using source = await freshDatabase("source", {
      sql:
        `CREATE TABLE t AS SELECT 1 AS i; CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()`.split(
          " CREATE EVENT",
        )[0] ?? "",
    });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE old AS SELECT 1 AS i" });
    const byReader = { url: asRole("target", reader, target.name) };
    await expect(copy(source, byReader, { yes: true, noOwner: true })).rejects.toMatchObject({
      code: "preflight",
      exitCode: 6,
      obstacles: expect.arrayContaining([expect.objectContaining({ code: "no-createdb" }), expect.objectContaining({ code: "not-owner" })]),
    });
    const byOwner = { url: asRole("target", owner, `${target.name}_x`) };
    // The source's tables belong to a superuser, whom this role cannot be.
    const failure: unknown = await copy(source, byOwner).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "preflight" });
    await using other = reservedDatabase("target", `${target.name}_x`);
    await copy(source, byOwner, { noOwner: true, noAcl: true });
    expect(await other.sql("SELECT i, pg_get_userbyid(relowner) AS owner FROM t, pg_class WHERE relname = 't'")).toEqual([{ i: 1, owner }]);
  });

  test("what the source's role may not read is told at once, with the GRANT to run; row-level security hides nothing", async () => {
    await using source = await freshDatabase("source", {
      sql: `CREATE SCHEMA s; CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE "B c" (i int); CREATE TABLE ok (i serial); GRANT SELECT ON ok TO ${quoteName(reader)}; CREATE TABLE s.t (i int); CREATE TABLE rls AS SELECT n AS i FROM generate_series(1, 10) n; ALTER TABLE rls ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON rls USING (i < 5); GRANT SELECT ON rls TO ${quoteName(reader)}; SELECT lo_create(5)`,
    });
    await using target = reservedDatabase("target");
    const failure: unknown = await copy({ url: asRole("source", reader, source.name) }, target).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "preflight" });
    const text = JSON.stringify((failure as { obstacles: unknown }).obstacles);
    for (const part of [
      "public.a",
      'public.\\"B c\\"',
      "s.t",
      "GRANT SELECT ON",
      "GRANT USAGE ON SCHEMA s",
      "public.ok_i_seq",
      "public.rls",
      "BYPASSRLS",
      "large object",
    ])
      expect(text).toContain(part);
    expect(await databasesLike(target)).toEqual([]);
    const { code, stdout, stderr } = await runCli(["--source", asRole("source", reader, source.name), "--target", target.url]);
    expect(code).toBe(6);
    expect(stdout + stderr).toContain("GRANT USAGE ON SCHEMA s");
    expect(stdout + stderr).not.toContain(PASSWORD);
    // Once they are run, and the rest is the role's to see, it goes.
    await source.sql(
      `GRANT USAGE ON SCHEMA s TO ${quoteName(reader)}; GRANT SELECT ON ALL TABLES IN SCHEMA public, s TO ${quoteName(reader)}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${quoteName(reader)}; GRANT SELECT ON LARGE OBJECT 5 TO ${quoteName(reader)}; ALTER TABLE rls DISABLE ROW LEVEL SECURITY`,
    );
    await copy({ url: asRole("source", reader, source.name) }, target);
    await expectSame(source, target);
  });
});

describe("owners and privileges", () => {
  test("--no-owner and --no-acl leave them out; missing roles do not matter then", async () => {
    const missing = uniqueName("pgditto_test_missing");
    await sql(admin("source"), `CREATE ROLE ${quoteName(missing)}`);
    try {
      await using source = await freshDatabase("source", {
        sql: `CREATE TABLE t AS SELECT 1 AS i; ALTER TABLE t OWNER TO ${quoteName(missing)}; CREATE SCHEMA s AUTHORIZATION ${quoteName(missing)}; GRANT SELECT ON t TO PUBLIC; SELECT lo_create(6); ALTER LARGE OBJECT 6 OWNER TO ${quoteName(missing)}; GRANT SELECT ON LARGE OBJECT 6 TO PUBLIC`,
      });
      await sql(admin("source"), `ALTER DATABASE ${quoteName(source.name)} OWNER TO ${quoteName(missing)}`);
      await using target = reservedDatabase("target");
      await expect(copy(source, target)).rejects.toMatchObject({
        code: "preflight",
        obstacles: [expect.objectContaining({ code: "missing-role", fix: expect.stringContaining("CREATE ROLE") })],
      });
      await copy(source, target, { noOwner: true, noAcl: true });
      expect(await target.sql("SELECT pg_get_userbyid(relowner) AS owner, relacl AS acl FROM pg_class WHERE relname = 't'")).toEqual([
        { owner: server("target").user, acl: null },
      ]);
      expect(await target.sql("SELECT pg_get_userbyid(lomowner) AS owner, lomacl AS acl FROM pg_largeobject_metadata")).toEqual([
        { owner: server("target").user, acl: null },
      ]);
    } finally {
      await sql(admin("source"), `DROP ROLE ${quoteName(missing)}`);
    }
  });

  test("on functions, languages, types, columns, parameters, servers, large objects, with grant options and by other grantors", async () => {
    const [a, b] = [quoteName(owner), quoteName(reader)];
    const team = quoteName(roleName(prefix, 'Großes "Team"'));
    await using source = await freshDatabase("source", {
      sql: `CREATE TABLE t (i int, "Odd ""c""" text); CREATE FUNCTION f(int, VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p() LANGUAGE sql AS ''; CREATE AGGREGATE agg(int) (SFUNC = int4pl, STYPE = int); CREATE DOMAIN d AS int; CREATE TYPE e AS ENUM ('x'); CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE SEQUENCE q; CREATE VIEW v AS SELECT * FROM t; CREATE SCHEMA "S ü";
      ALTER TABLE t OWNER TO ${a}; GRANT ALL ON t TO ${b} WITH GRANT OPTION; SET ROLE ${b}; GRANT SELECT ("Odd ""c"""), UPDATE (i) ON t TO ${team}; GRANT INSERT ON t TO PUBLIC; RESET ROLE; REVOKE DELETE ON t FROM ${a};
      GRANT EXECUTE ON FUNCTION f(int, text[]), agg(int) TO ${team}; REVOKE EXECUTE ON PROCEDURE p() FROM PUBLIC; GRANT USAGE ON LANGUAGE plpgsql TO ${b}; REVOKE USAGE ON LANGUAGE sql FROM PUBLIC; GRANT USAGE ON TYPE d, e TO ${team}; REVOKE USAGE ON TYPE e FROM PUBLIC; GRANT USAGE ON FOREIGN DATA WRAPPER w TO ${a} WITH GRANT OPTION; GRANT USAGE ON FOREIGN SERVER s TO ${team};
      GRANT USAGE, UPDATE ON SEQUENCE q TO ${b}; GRANT TRIGGER, REFERENCES ON v TO ${b}; GRANT CREATE ON SCHEMA "S ü", public TO ${team}; SELECT lo_create(8); GRANT UPDATE ON LARGE OBJECT 8 TO ${b} WITH GRANT OPTION; ALTER LARGE OBJECT 8 OWNER TO ${team}; ALTER FUNCTION f(int, text[]) OWNER TO ${team}; ALTER DOMAIN d OWNER TO ${b}; ALTER VIEW v OWNER TO ${b};
      REVOKE ALL ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC; GRANT SELECT ON pg_catalog.pg_authid TO ${b}; REVOKE SELECT ON pg_catalog.pg_proc FROM PUBLIC; GRANT SELECT ON pg_catalog.pg_proc TO PUBLIC;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${a} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; ALTER DEFAULT PRIVILEGES FOR ROLE ${a}, ${b} IN SCHEMA "S ü" GRANT ALL ON TABLES TO ${team} WITH GRANT OPTION; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ${b}; ALTER DEFAULT PRIVILEGES FOR ROLE ${team} GRANT USAGE ON TYPES TO ${a};`,
    });
    await sql(
      admin("source"),
      `ALTER ROLE ${team} IN DATABASE ${quoteName(source.name)} SET search_path = "S ü", public; ALTER ROLE ${a} IN DATABASE ${quoteName(source.name)} SET my.setting = 'it''s "x"'; ALTER DATABASE ${quoteName(source.name)} SET temp_tablespaces = ''; GRANT TEMPORARY ON DATABASE ${quoteName(source.name)} TO ${b} WITH GRANT OPTION; REVOKE CONNECT ON DATABASE ${quoteName(source.name)} FROM PUBLIC; COMMENT ON DATABASE ${quoteName(source.name)} IS E'a\\nb\\\\'; ALTER DATABASE ${quoteName(source.name)} OWNER TO ${team}`,
    );
    await using target = reservedDatabase("target");
    for (const pgDump of ["auto", "wasm"] as const) {
      await copy(source, target, { pgDump });
      await expectSame(source, target);
    }
  });
});
