import { expect, test } from "vitest";
import { readConstraintsOf } from "../../src/catalog/removable/constraints.ts";
import { readForeignKeys } from "../../src/catalog/removable/foreign-keys.ts";
import { readSecondaryIndexes } from "../../src/catalog/removable/indexes.ts";
import { readEnabledTriggers } from "../../src/catalog/removable/triggers.ts";
import { readOwnTables } from "../../src/catalog/tables.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { takeOff } from "../../src/target/ledger.ts";
import { holdRun } from "../../src/target/run-lock.ts";
import { freshDatabase, type FreshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { schemaText } from "../support/fidelity.ts";
import { withPlainRole } from "../support/reload.ts";
import { type CliResult, runCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";
import { quoteName, sql } from "../support/sql.ts";

const SQL = `
CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE);
CREATE TABLE child (id int, parent int CONSTRAINT fk REFERENCES parent, code text CHECK (code <> ''));
CREATE INDEX child_code ON child (lower(code));
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f();
INSERT INTO parent VALUES (1, 'a'); INSERT INTO child VALUES (1, 1, 'a');`;

async function repair({ url }: { url: string }, ...args: string[]): Promise<CliResult> {
  return await runCli(["repair", "--target", url, ...args]);
}

async function sessionIn({ name }: FreshDatabase): Promise<Session> {
  const { host, port, user, password } = server("target");
  const config = {
    side: "target",
    host,
    port,
    user,
    password,
    database: name,
    ssl: { mode: "disable" },
    connectTimeoutMs: 10_000,
  } as const;
  return await connect(config, { applicationName: "test" });
}

/** A reload that took everything off and is dead: its session is closed. */
async function deadReload(database: FreshDatabase, run = "deadrun001", role?: string): Promise<void> {
  await using session = await sessionIn(database);
  if (role !== undefined) await session.run(`SET ROLE ${role}`);
  const tables = new Set((await readOwnTables(session)).map(({ oid }) => oid));
  const removables = [
    ...(await readEnabledTriggers(session, tables, "all")),
    ...(await readForeignKeys(session, tables)),
    ...(await readConstraintsOf(session, tables)),
    ...(await readSecondaryIndexes(session, tables)),
  ];
  await takeOff(session, removables, { run, purpose: "reload", signal: new AbortController().signal });
}

test("what a dead reload took off is back to the letter; before and after there is nothing to repair", async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  const before = await schemaText(database.url);
  expect(await repair(database)).toMatchObject({ code: 0, stdout: "Nothing to repair.\n", stderr: "" });
  await deadReload(database);
  expect(await schemaText(database.url)).not.toMatch(/CREATE INDEX|FOREIGN KEY/);
  const { code, stdout, stderr } = await repair(database);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/\[TRIG  \] .* child: watch +\| put back/);
  expect(stdout).toMatch(/5 things put back that deadrun001 had taken off\.\n$/);
  expect(await schemaText(database.url)).toBe(before);
  expect(await database.sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 'watch'")).toEqual([{ tgenabled: "O" }]);
  expect(await repair(database)).toMatchObject({ code: 0, stdout: "Nothing to repair.\n" });
});

test("a run that lives is left alone; what constraints drop took off stays off; neither is taken for the other", async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  const before = await schemaText(database.url);
  expect(await runCli(["constraints", "drop", "--kind", "check", "--target", database.url])).toMatchObject({ code: 0 });
  await deadReload(database, "livingrun1");
  const off = await schemaText(database.url);
  {
    await using living = await sessionIn(database);
    await holdRun(living, "livingrun1");
    const { code, stdout } = await repair(database);
    expect(code).toBe(0);
    expect(stdout).toContain("Left alone, because the run lives: what livingrun1 has taken off.");
    expect(stdout).toContain("Off because of `pgditto constraints drop`: 1 constraint.");
    expect(await schemaText(database.url)).toBe(off);
  }
  const restored = await runCli(["constraints", "restore", "--target", database.url]);
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining("4 things are off because of a reload: pgditto repair.") });
  const repaired = await repair(database, "--json");
  expect(JSON.parse(repaired.stdout)).toMatchObject({ type: "repair", format: 1, alive: [], dropped: 0 });
  expect(await schemaText(database.url)).toBe(before);
});

test("an orphan row: the key is back NOT VALID, the row is shown, exit 3; the next repair validates", async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  const before = await schemaText(database.url);
  await deadReload(database);
  await database.sql("INSERT INTO child VALUES (2, 77, 'b')");
  for (let i = 0; i < 2; i += 1) {
    const { code, stderr } = await repair(database);
    expect(code).toBe(3);
    expect(stderr).toMatch(/public.child: fk +refers to public.parent +1 row without a match: parent = 77/);
    await expect(database.sql("INSERT INTO child VALUES (3, 78, 'b')")).rejects.toMatchObject({ code: "23503" });
  }
  await database.sql("DELETE FROM child WHERE id = 2");
  expect(await repair(database)).toMatchObject({ code: 0 });
  expect(await schemaText(database.url)).toBe(before);
});

test("an orphan row, and a role that may refer to a table but not read it: all the rest is back, the row is shown", async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  await withPlainRole(database, async (role, as) => {
    await database.sql(`ALTER TABLE child OWNER TO ${role}; GRANT REFERENCES ON parent TO ${role}; GRANT USAGE, CREATE ON SCHEMA public TO ${role};
      ALTER TABLE parent DROP CONSTRAINT parent_code_key; GRANT CREATE ON DATABASE ${quoteName(database.name)} TO ${role}`);
    const before = await schemaText(database.url);
    await deadReload(database, "deadrun001", role);
    await database.sql("INSERT INTO child VALUES (2, 77, 'b')");
    const { code, stderr } = await repair({ url: as });
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringMatching(/public.child: fk .*77/) as string });
    expect(await database.sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 'watch'")).toEqual([{ tgenabled: "O" }]);
    await database.sql("DELETE FROM child WHERE id = 2");
    expect(await repair({ url: as })).toMatchObject({ code: 0 });
    expect(await schemaText(database.url)).toBe(before);
  });
});

test("an orphan row of a key between columns of different collations is shown", async () => {
  await using database = await freshDatabase("target", {
    sql: `CREATE TABLE parent (id int, code text COLLATE "C", PRIMARY KEY (id, code)); CREATE TABLE child (id int, code varchar(9) COLLATE "POSIX",
      CONSTRAINT fk FOREIGN KEY (id, code) REFERENCES parent); INSERT INTO parent VALUES (1, 'a'); INSERT INTO child VALUES (1, 'a')`,
  });
  await using session = await sessionIn(database);
  const tables = new Set((await readOwnTables(session)).map(({ oid }) => oid));
  const keys = await readForeignKeys(session, tables);
  await takeOff(session, keys, { run: "deadrun001", purpose: "reload", signal: new AbortController().signal });
  await database.sql("INSERT INTO child VALUES (1, 'b')");
  const { code, stderr } = await repair(database);
  expect({ code, stderr }).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("1 row without a match: (id, code) = (1, b)") as string,
  });
});

test("a ledger that came with a copy of the database: refused, with --yes put back there too", async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  const before = await schemaText(database.url);
  await deadReload(database);
  await using copy = reservedDatabase("target");
  await sql(urlOf(server("target"), "postgres"), `CREATE DATABASE ${quoteName(copy.name)} TEMPLATE ${quoteName(database.name)}`);
  const refused = await repair(copy);
  expect(refused.code).toBe(6);
  expect(refused.stderr).toContain(
    `came with a copy of another database, ${database.name}: 5 things were taken off there, by run deadrun001`,
  );
  expect(refused.stderr).toContain("`pgditto repair --yes`");
  expect(await schemaText(copy.url)).not.toContain("FOREIGN KEY");
  expect(await repair(copy, "--yes")).toMatchObject({ code: 0 });
  expect(await schemaText(copy.url)).toBe(before);
  expect(await repair(database)).toMatchObject({ code: 0 });
  expect(await schemaText(database.url)).toBe(before);
});

test("statements of a role that is not to be trusted never run with a superuser's rights", async () => {
  const role = uniqueName("mallory");
  const admin = urlOf(server("target"), "postgres");
  await sql(admin, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  try {
    await using database = await freshDatabase("target", { sql: SQL, options: `OWNER ${quoteName(role)}` });
    await deadReload(database);
    const [row] = await database.sql("SELECT system, database_oid FROM pgditto.ledger LIMIT 1");
    await database.sql("DROP SCHEMA pgditto CASCADE");
    const evil = `CREATE TABLE pgditto.ledger (id bigint, run text, purpose text, kind text, "schema" text, "table" text, name text, state text, put_back text, validate text,
      taken timestamptz, database text, database_oid bigint, system text);
      INSERT INTO pgditto.ledger SELECT 1, 'deadrun001', p, 'check', 'public', 'child', 'c', 'off', 'ALTER ROLE ${role} SUPERUSER', NULL, now(), current_database(), ${String(row?.["database_oid"])}, '${String(row?.["system"])}'
      FROM unnest(ARRAY['reload', 'constraints']) p;`;
    await sql(urlOf({ ...server("target"), user: role, password: "secret" }, database.name), `CREATE SCHEMA pgditto; ${evil}`);
    for (const args of [["repair"], ["repair", "--yes"], ["constraints", "restore"], ["constraints", "list"], ["constraints", "drop"]]) {
      const { code, stderr } = await runCli([...args, "--target", database.url]);
      expect(code).toBe(6);
      expect(stderr).toContain(`belongs to ${role}`);
    }
    // a table of a superuser in a schema of somebody else, who could have put another in its place
    await database.sql("ALTER TABLE pgditto.ledger OWNER TO CURRENT_USER");
    expect(await repair(database)).toMatchObject({ code: 6, stderr: expect.stringContaining(`The schema pgditto belongs to ${role}`) });
    expect(await sql(admin, "SELECT rolsuper FROM pg_roles WHERE rolname = $1", [role])).toEqual([{ rolsuper: false }]);
  } finally {
    await sql(admin, `DROP ROLE ${role}`);
  }
});

test("neither default privileges nor pg_write_all_data let anybody write statements that a superuser would run", async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  const schema = await schemaText(database.url);
  await withPlainRole(database, async (role, as) => {
    await database.sql(
      `ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO ${role}; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ${role}`,
    );
    await deadReload(database);
    const change = "UPDATE pgditto.ledger SET put_back = 'DROP TABLE public.parent CASCADE'";
    await expect(sql(as, change)).rejects.toMatchObject({ code: "42501" });
    if (server("target").major >= 14) {
      await database.sql(`GRANT pg_write_all_data, pg_read_all_data TO ${role}`);
      await sql(as, change);
      expect(await database.sql("SELECT FROM pgditto.ledger WHERE put_back LIKE 'DROP%'")).toEqual([]);
    }
    const opened = [
      "GRANT UPDATE ON pgditto.ledger TO PUBLIC",
      "GRANT UPDATE (put_back) ON pgditto.ledger TO PUBLIC",
      "ALTER TABLE pgditto.ledger DISABLE ROW LEVEL SECURITY",
    ];
    for (const open of opened) {
      await database.sql(open);
      expect(await repair(database)).toMatchObject({
        code: 6,
        stderr: expect.stringContaining("Others than its owner may write") as string,
      });
      await database.sql("REVOKE ALL ON pgditto.ledger FROM PUBLIC; ALTER TABLE pgditto.ledger ENABLE ROW LEVEL SECURITY");
    }
    await database.sql(
      `ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM ${role}; ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM ${role}`,
    );
    expect(await repair(database)).toMatchObject({ code: 0 });
    expect(await schemaText(database.url)).toBe(schema);
  });
});
