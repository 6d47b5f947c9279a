import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dropConstraints, listConstraints, restoreConstraints } from "../../src/index.ts";
import { freshDatabase, freshShop, type FreshDatabase, uniqueName } from "../support/databases.ts";
import { schemaText } from "../support/fidelity.ts";
import { type CliResult, runCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";
import { openSession, quoteName, sql } from "../support/sql.ts";

const SMALL = `
CREATE SCHEMA "My Schema";
CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL UNIQUE, age int CHECK (age > 0));
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, mail text CONSTRAINT mail_fk REFERENCES customers (email) DEFERRABLE,
  total numeric NOT NULL CONSTRAINT "Total > 0" CHECK (total > 0));
CREATE TABLE "My Schema"."Order Items" (o int REFERENCES orders, n int, EXCLUDE USING btree (n WITH =));
INSERT INTO customers VALUES (1, 'a@b', 30), (2, 'c@d', 40); INSERT INTO orders VALUES (1, 1, 'a@b', 5); INSERT INTO "My Schema"."Order Items" VALUES (1, 1);`;

async function small(): Promise<FreshDatabase> {
  return await freshDatabase("target", { sql: SMALL });
}

/** `pgditto constraints …` on this database; no source is named, and none is needed. */
async function constraints({ url }: { url: string }, ...args: string[]): Promise<CliResult> {
  return await runCli(["constraints", ...args, "--target", url], { env: { RETRY_COUNT: "1" } });
}

async function constraintNames(database: FreshDatabase, types = "cfux"): Promise<string[]> {
  const rows = await database.sql(
    "SELECT conname FROM pg_constraint WHERE contype = ANY (string_to_array($1, NULL)) AND conrelid <> 0 AND connamespace <> 'pg_catalog'::regnamespace AND connamespace <> 'information_schema'::regnamespace ORDER BY 1",
    [types],
  );
  return rows.map(({ conname }) => String(conname));
}

async function ledger(database: FreshDatabase): Promise<string[]> {
  const rows = await database.sql("SELECT kind || ' ' || name || ' ' || state AS it FROM pgditto.ledger ORDER BY id");
  return rows.map(({ it }) => String(it));
}

test("the whole shop's constraints go and come back, to the letter", async () => {
  await using shop = await freshShop("target");
  const before = await schemaText(shop.url);
  const dropped = await constraints(shop, "drop");
  expect(dropped).toMatchObject({ code: 0, stderr: "" });
  expect(dropped.stdout).toMatch(/\d+ constraints are off: \d+ foreign-key, /);
  expect(await constraintNames(shop)).toEqual([]);
  const listed = await constraints(shop, "list", "--json");
  const { off } = JSON.parse(listed.stdout) as { off: unknown[] };
  expect(dropped.stdout).toContain(`${off.length} constraints are off`);
  const again = await constraints(shop, "drop");
  expect(again).toMatchObject({
    code: 0,
    stdout: `Nothing to take off. ${off.length} constraints are off already: pgditto constraints list.\n`,
  });
  const restored = await constraints(shop, "restore", "--jobs", "3");
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  expect(restored.stdout).toContain(`${off.length} constraints are back: `);
  expect(await schemaText(shop.url)).toBe(before);
  expect(await constraints(shop, "restore")).toMatchObject({ code: 0, stdout: "Nothing is off.\n" });
  expect(await constraints(shop, "list")).toMatchObject({ code: 0, stdout: "Nothing is off.\n" });
});

test("the owner of tables and database can do it without further rights", async () => {
  const role = uniqueName("owner");
  const admin = urlOf(server("target"), "postgres");
  await sql(admin, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  try {
    await using database = await freshDatabase("target", { options: `OWNER ${quoteName(role)}` });
    const own = { ...database, url: urlOf({ ...server("target"), user: role, password: "secret" }, database.name) };
    await sql(own.url, `CREATE SCHEMA mine; SET search_path = mine; ${SMALL}`);
    const before = await schemaText(database.url);
    expect(await constraints(own, "drop")).toMatchObject({ code: 0, stderr: "" });
    expect(await constraintNames(database)).toEqual([]);
    expect(await constraints(own, "restore")).toMatchObject({ code: 0, stderr: "" });
    expect(await schemaText(database.url)).toBe(before);
  } finally {
    await sql(admin, `DROP ROLE ${role}`);
  }
});

describe("choosing", () => {
  test("by kind and table, both ways; what is left out is told", async () => {
    await using database = await small();
    const before = await schemaText(database.url);
    expect(await constraints(database, "drop", "--kind", "check,not-null", "--kind=foreign-key", "-t", "orders")).toMatchObject({
      code: 0,
    });
    expect(await ledger(database)).toEqual([
      "foreign-key mail_fk off",
      "foreign-key orders_customer_fkey off",
      "check Total > 0 off",
      ...(server("target").major >= 18 ? ["not-null orders_total_not_null off"] : ["not-null total off"]),
    ]);
    expect((await constraints(database, "list", "-t", "customers")).stdout).toBe(
      "None of those selected is off; 4 more are off: not selected.\n",
    );
    const part = await constraints(database, "restore", "--kind", "check");
    expect(part).toMatchObject({ code: 0 });
    expect(part.stdout).toContain("1 constraint is back: 1 check.\n3 constraints are still off: not selected.\n");
    expect(await constraints(database, "restore")).toMatchObject({ code: 0 });
    expect(await schemaText(database.url)).toBe(before);
  });

  test("what is misspelt or makes no sense is exit 2, and touches nothing", async () => {
    await using database = await small();
    const before = await schemaText(database.url);
    for (const [line, message] of [
      ["drop --kind fk", "Did you mean foreign-key?"],
      ["drop -t ordres", "Did you mean orders?"],
      ["restore -t ordres", "matches no table of the target"],
      ["drop -n my_shema", "matches no schema of the target"],
      ["restore --save x.sql", "--save is for `pgditto constraints drop`"],
      ["drop --save x.sql --dry-run", "contradict each other"],
      ["list --dry-run", "touches nothing anyway"],
    ] as const) {
      const { code, stderr } = await constraints(database, ...line.split(" "));
      expect(code, line).toBe(2);
      expect(stderr).toContain(message);
    }
    expect(await schemaText(database.url)).toBe(before);
  });
});

describe("what cannot be taken off or could not come back is refused at once", () => {
  test("a unique constraint that foreign keys and views rest on, all of them named", async () => {
    await using database = await small();
    await database.sql(
      `ALTER TABLE "My Schema"."Order Items" ADD COLUMN mail text CONSTRAINT item_mail REFERENCES customers (email);
       CREATE TABLE facts (a int, b text, CONSTRAINT facts_key UNIQUE (a)); CREATE FUNCTION put() RETURNS void LANGUAGE sql
         ${server("target").major >= 14 ? "BEGIN ATOMIC INSERT INTO facts VALUES (1) ON CONFLICT ON CONSTRAINT facts_key DO NOTHING; END" : "AS ''"};`,
    );
    const before = await schemaText(database.url);
    const { code, stderr } = await constraints(database, "drop", "--kind", "unique,foreign-key", "-T", '"My Schema".*');
    expect(code).toBe(6);
    expect(stderr).toContain('"My Schema"."Order Items": item_mail rests on it, and is not taken off with it');
    expect(stderr).toContain('Add foreign-key to --kind and "My Schema"."Order Items" to --table');
    expect(stderr).not.toContain("mail_fk rests");
    if (server("target").major >= 14) expect(stderr).toMatch(/facts_key .* cannot be taken off: function .*put\(\) rests on it/);
    expect(await schemaText(database.url)).toBe(before);
  });

  test("of partitioned tables: the key at the top is named once, and all of it comes back; by the library", async () => {
    await using database = await freshDatabase("target", {
      sql: `CREATE TABLE p (id int NOT NULL, at date NOT NULL, CONSTRAINT pu UNIQUE (id, at)) PARTITION BY RANGE (at);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); CREATE TABLE p2 PARTITION OF p DEFAULT;
CREATE TABLE r (id int, at date, CONSTRAINT rf FOREIGN KEY (id, at) REFERENCES p (id, at)) PARTITION BY LIST (id);
CREATE TABLE r1 PARTITION OF r FOR VALUES IN (1); CREATE TABLE r2 PARTITION OF r DEFAULT;
CREATE TABLE direct (id int, at date, CONSTRAINT df FOREIGN KEY (id, at) REFERENCES p1 (id, at));
INSERT INTO p VALUES (1, '2026-05-05'), (2, '2030-01-01'); INSERT INTO r SELECT * FROM p`,
    });
    const before = await schemaText(database.url);
    const refused = await dropConstraints({ target: database.url, kinds: ["unique"] }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "preflight", obstacles: [{ code: "rests-on-constraint" }, { code: "rests-on-constraint" }] });
    expect(String(refused)).not.toMatch(/r1|r2/);
    const events: string[] = [];
    const dropped = await dropConstraints({ target: database.url, onEvent: (event) => events.push(event.type) });
    expect(dropped.constraints.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining(["foreign-key rf", "foreign-key df", "unique pu"]),
    );
    expect(events).toEqual(dropped.constraints.map(() => "ledger"));
    expect(await constraintNames(database)).toEqual([]);
    expect((await listConstraints({ target: database.url })).off).toHaveLength(dropped.constraints.length);
    expect((await restoreConstraints({ target: database.url, jobs: 2 })).constraints).toHaveLength(dropped.constraints.length);
    expect(await schemaText(database.url)).toBe(before);
  });

  test("a table of somebody else, a schema and a table that the role may not use for the way back", async () => {
    const [role, other] = [uniqueName("owner"), uniqueName("other")];
    const admin = urlOf(server("target"), "postgres");
    await sql(admin, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; CREATE ROLE ${other}`);
    try {
      await using database = await freshDatabase("target", { options: `OWNER ${quoteName(role)}` });
      await database.sql(
        `CREATE SCHEMA closed; GRANT USAGE ON SCHEMA closed TO ${role}; CREATE TABLE closed.theirs (id int PRIMARY KEY, n int CHECK (n > 0));
         CREATE TABLE closed.mine (a int UNIQUE, b int REFERENCES closed.theirs); ALTER TABLE closed.mine OWNER TO ${role}; ALTER TABLE closed.theirs OWNER TO ${other}`,
      );
      const before = await schemaText(database.url);
      const url = urlOf({ ...server("target"), user: role, password: "secret" }, database.name);
      const { code, stderr } = await constraints({ url }, "drop");
      expect(code).toBe(6);
      expect(stderr).toContain(`Role ${role} does not own the table closed.theirs, ${other} does.`);
      expect(stderr).toContain(`GRANT CREATE ON SCHEMA "closed" TO "${role}";`);
      expect(stderr).toContain(`GRANT REFERENCES ON "closed"."theirs" TO "${role}";`);
      expect(stderr).toContain("3 obstacles found. Nothing was touched.");
      expect(await schemaText(database.url)).toBe(before);
    } finally {
      await sql(admin, `DROP ROLE ${role}; DROP ROLE ${other}`);
    }
  });

  test("a target that another run holds: exit 9", async () => {
    await using database = await small();
    await using other = await openSession(database.url);
    // as target/run-lock.ts: the class "pgdt", and the first four bytes of the name's SHA-256
    await other.query("SELECT pg_advisory_lock(1885824116, ('x' || substr(encode(sha256($1::text::bytea), 'hex'), 1, 8))::bit(32)::int)", [
      database.name,
    ]);
    for (const word of ["drop", "restore"]) {
      const { code, stderr } = await constraints(database, word);
      expect(code).toBe(9);
      expect(stderr).toContain(`Another run holds the target ${database.name}.`);
    }
    expect(await constraints(database, "list")).toMatchObject({ code: 0 });
    expect(await constraints(database, "drop", "--dry-run")).toMatchObject({ code: 0 });
  });
});

describe("the script", () => {
  test("of --save brings everything back without pgditto; a restore then finds it there", async () => {
    await using database = await small();
    const folder = await mkdtemp(join(tmpdir(), "save-"));
    try {
      const file = join(folder, "restore.sql");
      const before = await schemaText(database.url);
      expect(await constraints(database, "drop", "--save", file)).toMatchObject({ code: 0 });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const again = await constraints(database, "drop", "--save", file);
      // nothing is left to take off, and so nothing is written
      expect(again).toMatchObject({ code: 0 });
      const script = await readFile(file, "utf8");
      await database.sql(script);
      expect(await constraintNames(database)).toContain("mail_fk");
      const restored = await constraints(database, "restore");
      expect(restored).toMatchObject({ code: 0, stderr: "" });
      expect(restored.stdout).toContain("it was there already");
      expect(await schemaText(database.url)).toBe(before);

      const refused = await constraints(database, "drop", "--save", file);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(`${file} is there already, and is not overwritten. Nothing was taken off.`);
      expect(await readFile(file, "utf8")).toBe(script);
      expect((await constraints(database, "drop", "--save", join(folder, "none", "x.sql"))).stderr).toContain("its folder does not exist");
      expect(await schemaText(database.url)).toBe(before);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("--dry-run prints it both ways, and touches nothing", async () => {
    await using database = await small();
    const before = await schemaText(database.url);
    const { code, stdout } = await constraints(database, "drop", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toContain('ALTER TABLE "public"."orders" DROP CONSTRAINT "Total > 0";');
    expect(await schemaText(database.url)).toBe(before);
    // what it prints can be run, and undoes itself
    await database.sql(stdout);
    expect(await schemaText(database.url)).toBe(before);
  });
});

describe("what happened meanwhile", () => {
  test("rows that break constraints are shown, exit 3; the others are back; mended, the next restore validates", async () => {
    await using database = await small();
    const before = await schemaText(database.url);
    expect(await constraints(database, "drop")).toMatchObject({ code: 0 });
    await database.sql(
      `INSERT INTO orders VALUES (7, 99, 'a@b', -3), (8, 98, 'a@b', 3), (9, 99, 'nobody', 3); INSERT INTO customers VALUES (3, 'a@b', 5), (4, NULL, 5)`,
    );
    const broken = await constraints(database, "restore");
    expect(broken.code).toBe(3);
    expect(broken.stderr).toMatch(
      /public.orders: orders_customer_fkey +refers to public.customers +3 rows without a match: customer = 98, 99/,
    );
    expect(broken.stderr).toContain("Key (email)=(a@b) is duplicated.");
    expect(broken.stderr).toMatch(/public.customers: (?:email|customers_email_not_null) +1 row: \(4,,5\)/);
    expect(broken.stderr).toMatch(/public.orders: mail_fk +waits for the unique constraint that is off/);
    expect(broken.stderr).toMatch(/public.orders: Total > 0 +1 row: \(7,99,a@b,-3\)/);
    await expect(database.sql("INSERT INTO orders VALUES (10, 97, NULL, 1)")).rejects.toMatchObject({ code: "23503" });
    expect(await constraintNames(database, "x")).toEqual(["Order Items_n_excl"]);
    const listed = await constraints(database, "list");
    expect(listed.stdout).toMatch(/foreign-key +public.orders +orders_customer_fkey +not valid/);
    expect(listed.stdout).toMatch(/unique +public.customers +customers_email_key +off/);
    // off once more, what waits to be validated is in the ledger once, and is not forgotten
    expect(await constraints(database, "drop")).toMatchObject({ code: 0 });
    expect((await ledger(database)).filter((line) => line.startsWith("foreign-key orders_customer"))).toEqual([
      "foreign-key orders_customer_fkey off",
    ]);
    await database.sql("DELETE FROM orders WHERE id > 1; DELETE FROM customers WHERE id > 2");
    expect(await constraints(database, "restore")).toMatchObject({ code: 0, stderr: "" });
    expect(await schemaText(database.url)).toBe(before);
  });

  test("a table was renamed, another dropped, a column too: the rest is back, and the error has statement and fix", async () => {
    await using database = await small();
    expect(await constraints(database, "drop", "--kind", "check,exclusion,foreign-key")).toMatchObject({ code: 0 });
    await database.sql(
      `ALTER TABLE orders RENAME TO bookings; DROP TABLE "My Schema"."Order Items"; ALTER TABLE customers DROP COLUMN age`,
    );
    const { code, stderr } = await constraints(database, "restore");
    expect(code).toBe(1);
    expect(stderr).toContain('ADD CONSTRAINT "Total > 0" CHECK ((total > (0)::numeric)) NOT VALID;');
    expect(stderr).toContain('column "age" does not exist');
    const [fix] = /DELETE FROM pgditto.ledger WHERE id IN \([\d, ]+\);/.exec(stderr.replaceAll(/\s+/g, " ")) ?? [];
    expect(fix).toBeDefined();
    expect(await ledger(database)).toHaveLength(6);
    await database.sql(fix ?? "");
    expect(await constraints(database, "restore")).toMatchObject({ code: 0, stdout: "Nothing is off.\n" });
    expect(await database.sql("SELECT FROM pg_namespace WHERE nspname = 'pgditto'")).toEqual([]);
  });

  test("made by hand: the same counts as back and is validated, another one is an error", async () => {
    await using database = await small();
    const before = await schemaText(database.url);
    expect(await constraints(database, "drop", "--kind", "check,unique,foreign-key")).toMatchObject({ code: 0 });
    await database.sql(`ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers NOT VALID;
      ALTER TABLE orders ADD CONSTRAINT "Total > 0" CHECK (total > 1); CREATE INDEX customers_email_key ON customers (age)`);
    const { code, stderr, stdout } = await constraints(database, "restore");
    expect(code).toBe(1);
    expect(stderr).toContain("it is not the one that was taken off");
    expect(stdout).toMatch(/orders: orders_customer_fkey +\| put back/);
    // the foreign key that rests on the unique constraint is off as well
    expect(await ledger(database)).toEqual(["foreign-key mail_fk off", "unique customers_email_key off", "check Total > 0 off"]);
    await database.sql(`ALTER TABLE orders DROP CONSTRAINT "Total > 0"; DROP INDEX customers_email_key`);
    expect(await constraints(database, "restore")).toMatchObject({ code: 0 });
    expect(await schemaText(database.url)).toBe(before);
  });
});

test("a sync from a source with constraints off warns, and the copy's ledger is refused there until --yes", async () => {
  await using source = await freshDatabase("source", { sql: SMALL });
  await using target = await freshDatabase("target");
  const before = await schemaText(source.url);
  expect(await constraints(source, "drop")).toMatchObject({ code: 0 });
  const copied = await runCli(["sync", "--source", source.url, "--target", target.url, "--yes"]);
  expect(copied.code).toBe(0);
  expect(copied.stdout + copied.stderr).toMatch(/pgditto has taken \d things off in the source/);
  const refused = await constraints(target, "restore");
  expect(refused.code).toBe(6);
  expect(refused.stderr).toContain(`came with a copy of another database, ${source.name}`);
  expect(await constraints(target, "list")).toMatchObject({ code: 0, stdout: expect.stringContaining(`in the database ${source.name}`) });
  expect(await constraints(target, "restore", "--yes")).toMatchObject({ code: 0 });
  expect(await constraints(source, "restore")).toMatchObject({ code: 0 });
  expect(await schemaText(source.url)).toBe(before);
  expect(await constraintNames(target)).toEqual(await constraintNames(source));
});
