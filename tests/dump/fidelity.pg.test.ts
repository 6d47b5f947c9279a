import { execFileSync } from "node:child_process";
import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { exportDump, importDump, type SyncEvent } from "../../src/index.ts";
import { freshDatabase, freshShop, reservedDatabase } from "../support/databases.ts";
import { dumpPlace, hasPrograms, manifestOf, NO_PROGRAMS } from "../support/dumps.ts";
import { copy, expectSame, warningCodes } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { ownCluster, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** Sessions on the server whose names begin so, as soon as there are none, or after two seconds. Blocks this process. */
function sessionsAfterAWhile(url: string, name: string): string {
  const script = `import pg from "pg";
    const client = new pg.Client(process.argv[1]); await client.connect(); let n;
    for (let i = 0; i < 20 && n !== 0; i += 1) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, 100));
      n = (await client.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE starts_with(application_name, $1)", [process.argv[2]])).rows[0].n;
    }
    await client.end(); process.stdout.write(String(n));`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script, url, name], { encoding: "utf8" });
}

beforeEach(async ({ skip }) => {
  if (!(await hasPrograms())) skip(NO_PROGRAMS);
});

describe("sync --via dump", () => {
  test.each(["directory", "custom"] as const)("the shop arrives whole, and nothing stays behind: %s", async (dumpFormat) => {
    await using source = await freshShop("source");
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    const { result, events } = await copy(source, target, { via: "dump", dumpFormat, cwd: place.path, jobs: 3, batchSize: 2 });
    await expectSame(source, target);
    expect(result.rows).toBe(result.tables.reduce((sum, { rows }) => sum + rows, 0));
    expect(warningCodes(events).filter((code) => code !== "older-target")).toEqual([]);
    const phases = events.flatMap((event) => (event.type === "phase:started" ? [event.name] : []));
    expect(phases).toEqual(["Schema Synchronization", "Data Export", "Data Import", "Validation"]);
    expect(startsOf(events, "export")).toContainEqual(expect.stringMatching(/^public\.transactions: Partitioned \(\d+ parts\)$/));
    expect(startsOf(events, "import")).toHaveLength(startsOf(events, "export").length);
    expect(events.find(({ type }) => type === "run:started")).toMatchObject({
      folder: expect.stringMatching(/\/migration_dumps_\d{8}_\d{6}$/) as string,
    });
    expect(await place.names()).toEqual([]);
  });

  test("the source is let go before an export is complete", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT n FROM generate_series(1, 10) n" });
    await using place = await dumpPlace();
    let left: string | undefined;
    await exportDump(join(place.path, "d"), {
      source: source.url,
      onEvent: (event) => {
        // the run stands still meanwhile, and closes nothing
        if (event.type === "dump:done") left = sessionsAfterAWhile(source.url, `pgditto ${event.run} `);
      },
    });
    expect(left).toBe("0");
  });

  test("the source is let go before the first row is imported", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n" });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    let sessions: Promise<unknown> | undefined;
    await copy(source, target, {
      via: "dump",
      cwd: place.path,
      onEvent: (event) => {
        if (event.type !== "task:started" || event.kind !== "pre-data") return;
        sessions ??= sql(
          source.url,
          "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^pgditto'",
        );
      },
    });
    expect(await sessions).toEqual([]);
  });

  test("many small tables share entries; large ones, partitioned ones and odd names do not get lost", async () => {
    await using source = await freshDatabase("source", {
      sql: `DO $$BEGIN FOR i IN 1..130 LOOP EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, v text)', 'T ' || i || '.*"$'); END LOOP; END$$;
        DO $$BEGIN FOR i IN 1..130 LOOP EXECUTE format('INSERT INTO %I SELECT n, repeat(''x'', n) FROM generate_series(1, %s) n', 'T ' || i || '.*"$', i); END LOOP; END$$;
        CREATE TABLE large AS SELECT n, repeat('y', 500) AS filler FROM generate_series(1, 12000) n;
        CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
        CREATE TABLE hashed (c colour, n int) PARTITION BY HASH (c);
        CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO hashed SELECT (enum_range(NULL::colour))[1 + n % 3], n FROM generate_series(1, 300) n;
        CREATE TABLE parent (i int); CREATE TABLE child (j int) INHERITS (parent);
        INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
        CREATE UNLOGGED TABLE quick AS SELECT 7 AS n;`,
    });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    const { events } = await copy(source, target, { via: "dump", dumpDir: join(place.path, "here"), keepDumps: true });
    // which partition a row is in depends on the server: the rows count
    const all = "SELECT c, n FROM hashed ORDER BY n";
    expect(await target.sql(all)).toEqual(await source.sql(all));
    await sql(source.url, "DROP TABLE hashed");
    await sql(target.url, "DROP TABLE hashed");
    expect(await contents(target.url)).toEqual(await contents(source.url));
    const starts = startsOf(events, "export");
    expect(starts).toContain("public.large: Standard Table");
    expect(starts.filter((text) => text.includes("Small Tables")).length).toBe(2);
    const { entries } = (await manifestOf(join(place.path, "here"))).contents as { entries: Array<{ path: string; tables: number[] }> };
    expect(new Set(entries.map(({ path }) => path)).size).toBe(entries.length);
    expect(new Set(entries.flatMap(({ tables }) => tables)).size).toBe(entries.flatMap(({ tables }) => tables).length);
  });

  test.each([
    ["LATIN1", "'Grüße, 100 £'"],
    // the test's own session cannot hold what is no UTF-8
    ["SQL_ASCII", "convert_from(decode('ff5c2e', 'hex'), 'SQL_ASCII')"],
  ])("a database in %s", async (encoding, value) => {
    await using source = await freshDatabase("source", { options: `ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'` });
    await source.sql(`CREATE TABLE t AS SELECT n, ${value} AS v FROM generate_series(1, 10) n`);
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    await copy(source, target, { via: "dump", cwd: place.path });
    const digest = `SELECT count(*)::int AS rows, md5(string_agg(encode(convert_to(v, '${encoding}'), 'hex'), '' ORDER BY n)) AS hash FROM t`;
    expect(await target.sql(digest)).toEqual(await source.sql(digest));
    expect(await target.sql("SHOW server_encoding")).toEqual([{ server_encoding: encoding }]);
  });

  test("only the selected tables' rows", async () => {
    await using source = await freshDatabase("source", {
      sql: "CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE b AS SELECT 2 AS i",
    });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    await copy(source, target, { via: "dump", cwd: place.path, tables: ["public.a"], noOwner: true, noAcl: true });
    expect(await target.sql("SELECT (SELECT count(*)::int FROM a) AS a, (SELECT count(*)::int FROM b) AS b")).toEqual([{ a: 1, b: 0 }]);
  });

  test("a database that holds nothing", async () => {
    await using source = await freshDatabase("source");
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    const { result } = await copy(source, target, { via: "dump", cwd: place.path });
    expect(result.tables).toEqual([]);
    await expectSame(source, target);
  });
});

describe("export and import", () => {
  test("a folder is carried to another place; by then the source's server is gone", async () => {
    await using place = await dumpPlace();
    const [first, second] = [join(place.path, "made here"), join(place.path, "and carried there")];
    let before: Record<string, unknown>;
    let password: string;
    {
      await using cluster = await ownCluster("source");
      password = cluster.password;
      await using shop = await freshShop("source", { scale: 0.01 });
      // the shop of the shared server, copied to one of its own
      await copy(shop, { url: cluster.url("shop") });
      before = await contents(cluster.url("shop"));
      const exported = await exportDump(first, { source: cluster.url("shop"), verify: "checksum", jobs: 2 });
      const tables = before["tables"] as Record<string, { rows: number }>;
      expect(exported.rows).toBeGreaterThan(2000);
      expect(exported.rows).toBeLessThanOrEqual(Object.values(tables).reduce((sum, { rows }) => sum + rows, 0));
      await cluster.stop("immediate");
    }
    expect((await stat(first)).mode & 0o777).toBe(0o700);
    await rename(first, second);
    const text = JSON.stringify(await manifestOf(second));
    expect(text).not.toContain(password);
    await using target = reservedDatabase("target");
    const events: SyncEvent[] = [];
    const result = await importDump("and carried there", {
      target: target.url,
      cwd: place.path,
      verify: "checksum",
      onEvent: (event) => events.push(event),
    });
    expect(result.database).toBe(target.name);
    expect(await contents(target.url)).toEqual(before);
    expect(events.find(({ type }) => type === "verify:done")).toMatchObject({ checksums: true, differences: [] });
    // an archive: it stays, and makes another copy
    await using again = reservedDatabase("target");
    await importDump(second, { target: again.url });
    expect(await contents(again.url)).toEqual(before);
  });

  test("an import can leave out owners and privileges that the export has kept", async () => {
    await using place = await dumpPlace();
    const role = `dump_owner_${process.pid}`;
    const admin = urlOf(server("source"), "postgres");
    await sql(admin, `CREATE ROLE ${role}`);
    try {
      await using source = await freshDatabase("source", {
        sql: `CREATE TABLE t AS SELECT 1 AS i; ALTER TABLE t OWNER TO ${role}; CREATE FUNCTION f() RETURNS text LANGUAGE sql AS
          'SELECT ''
ALTER TABLE public.t OWNER TO nobody;
''::text'; GRANT SELECT ON t TO PUBLIC; CREATE SCHEMA s AUTHORIZATION ${role};`,
      });
      await exportDump("d", { source: source.url, cwd: place.path });
      await using target = reservedDatabase("target");
      await expect(importDump("d", { target: target.url, cwd: place.path })).rejects.toMatchObject({
        code: "preflight",
        obstacles: [{ code: "missing-role", fix: expect.stringContaining("--no-owner") as string }],
      });
      await importDump("d", { target: target.url, cwd: place.path, noOwner: true, noAcl: true });
      expect(
        await target.sql(
          "SELECT tableowner = current_user AS mine, f() ~ 'OWNER TO nobody' AS body, has_table_privilege('pg_monitor', 'public.t', 'SELECT') AS granted FROM pg_tables WHERE tablename = 't'",
        ),
      ).toEqual([{ mine: true, body: true, granted: false }]);
    } finally {
      await sql(admin, `DROP ROLE ${role}`);
    }
  });
});

/** `public.orders: Standard Table` for each that has started. */
function startsOf(events: readonly SyncEvent[], kind: "export" | "import"): string[] {
  return events.flatMap((event) => (event.type === "task:started" && event.kind === kind ? [`${event.object}: ${event.detail}`] : []));
}
