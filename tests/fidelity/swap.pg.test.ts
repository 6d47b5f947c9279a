import { describe, expect, test } from "vitest";
import { sync, type SyncEvent } from "../../src/index.ts";
import { freshDatabase, freshShop, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copy, databasesLike, expectSame, factsOf, warningCodes } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { runCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";
import { openSession, quoteName, sql } from "../support/sql.ts";

const OLD = "CREATE TABLE old AS SELECT 1 AS i";
const NEW = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)";

describe("replacing a target", () => {
  test("that pgditto did not make needs a word; after that its own copies are replaced without", async () => {
    await using source = await freshDatabase("source", { sql: NEW });
    await using target = await freshDatabase("target", { sql: OLD });
    const before = await contents(target.url);
    await expect(copy(source, target)).rejects.toMatchObject({
      code: "not-confirmed",
      exitCode: 6,
      hint: expect.stringContaining("--yes"),
    });
    const asked: string[] = [];
    await expect(copy(source, target, { confirm: async ({ database }) => (asked.push(database), false) })).rejects.toMatchObject({
      code: "not-confirmed",
    });
    expect(asked).toEqual([target.name]);
    expect(await contents(target.url)).toEqual(before);
    expect(await databasesLike(target)).toEqual([target.name]);
    const refused = await runCli(["--source", source.url, "--target", target.url]);
    expect(refused.code).toBe(6);
    await copy(source, target, { confirm: async () => true });
    await copy(source, target);
    await expectSame(source, target);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("that is empty needs none; one with only a large object, a schema, a function, a cast or a publication is not empty", async () => {
    await using source = await freshDatabase("source", { sql: NEW });
    await using empty = await freshDatabase("target");
    await copy(source, empty);
    for (const text of [
      "SELECT lo_create(0)",
      "CREATE SCHEMA s",
      "CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE CAST (point AS text) WITH INOUT",
      "CREATE PUBLICATION p FOR ALL TABLES",
    ]) {
      await using target = await freshDatabase("target", { sql: text });
      await expect(copy(source, target), text).rejects.toMatchObject({ code: "not-confirmed" });
    }
  });

  test("keeps the previous one, twice, and never somebody else's of that name without a word", async () => {
    await using source = await freshDatabase("source", { sql: NEW });
    await using target = await freshDatabase("target", { sql: OLD });
    const previous = { url: `${target.url}_previous` };
    expect((await copy(source, target, { yes: true, keepPrevious: true })).result.previous).toBe(`${target.name}_previous`);
    expect(await sql(previous.url, "SELECT i FROM old")).toEqual([{ i: 1 }]);
    await source.sql("INSERT INTO t VALUES (3)");
    // What is called so now is the very first database, which pgditto did not make.
    await expect(copy(source, target, { keepPrevious: true })).rejects.toMatchObject({
      code: "preflight",
      obstacles: [{ code: "previous-exists" }],
    });
    await copy(source, target, { keepPrevious: true, yes: true });
    expect(await sql(previous.url, "SELECT count(*)::int AS n FROM t")).toEqual([{ n: 2 }]);
    await source.sql("INSERT INTO t VALUES (4)");
    await copy(source, target, { keepPrevious: true });
    await expectSame(source, target);
    expect(await sql(previous.url, "SELECT count(*)::int AS n FROM t")).toEqual([{ n: 3 }]);
    expect(await databasesLike(target)).toEqual([target.name, `${target.name}_previous`]);
  });

  test("in --mode recreate: dropped first, filled, and the same in the end; also where there was none", async () => {
    await using source = await freshShop("source");
    await using target = await freshDatabase("target", { sql: OLD });
    const seen: string[][] = [];
    const looks: Promise<unknown>[] = [];
    const onEvent = ({ type }: SyncEvent): void => {
      if (type === "staging:created") looks.push(databasesLike(target).then((found) => seen.push(found)));
    };
    await copy(source, target, { mode: "recreate", yes: true, onEvent });
    await Promise.all(looks);
    expect(seen[0]).not.toContain(target.name);
    await expectSame(source, target);
    await copy(source, target, { mode: "recreate" });
    await expectSame(source, target);
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("with people connected, one of them within a transaction, and others who keep coming", async () => {
    await using source = await freshDatabase("source", { sql: NEW });
    await using target = await freshDatabase("target", { sql: OLD });
    await using idle = await openSession(target.url);
    await using busy = await openSession(target.url);
    await busy.query("BEGIN; UPDATE old SET i = 2; SELECT pg_sleep(0)");
    let stop = false;
    const comers = Array.from({ length: 3 }, async () => {
      while (!stop) {
        await sql(target.url, "SELECT 1").catch(() => {});
      }
    });
    try {
      await copy(source, target, { yes: true });
    } finally {
      stop = true;
      await Promise.all(comers);
    }
    await expectSame(source, target);
    await expect(idle.query("SELECT 1")).rejects.toThrow();
    expect(await databasesLike(target)).toEqual([target.name]);
  });

  test("that is a template, forbids connections to others, or has a connection limit of 0", async () => {
    await using source = await freshDatabase("source", { sql: NEW });
    await using target = await freshDatabase("target", { sql: OLD });
    const admin = urlOf(server("target"), "postgres");
    await sql(admin, `ALTER DATABASE ${quoteName(target.name)} IS_TEMPLATE true CONNECTION LIMIT 0`);
    await copy(source, target, { yes: true });
    await expectSame(source, target);
    // The source's own limit and template mark arrive.
    await sql(urlOf(server("source"), "postgres"), `ALTER DATABASE ${quoteName(source.name)} IS_TEMPLATE true CONNECTION LIMIT 3`);
    await copy(source, target);
    expect(await target.sql("SELECT datistemplate, datconnlimit FROM pg_database WHERE datname = pg_catalog.current_database()")).toEqual([
      { datistemplate: true, datconnlimit: 3 },
    ]);
    await copy(source, target);
    expect(await databasesLike(target)).toEqual([target.name]);
    await sql(urlOf(server("source"), "postgres"), `ALTER DATABASE ${quoteName(source.name)} IS_TEMPLATE false`);
  });

  test("with a prepared transaction: refused by its name, and nothing of it is lost", async () => {
    await using source = await freshDatabase("source", { sql: NEW });
    await using target = await freshDatabase("target", { sql: OLD });
    const gid = uniqueName("gid");
    await target.sql(`BEGIN; UPDATE old SET i = 7; PREPARE TRANSACTION '${gid}'`);
    try {
      await expect(copy(source, target, { yes: true })).rejects.toMatchObject({
        code: "preflight",
        obstacles: [{ code: "prepared-transactions", message: expect.stringContaining(gid) }],
      });
      expect(await databasesLike(target)).toEqual([target.name]);
    } finally {
      await target.sql(`COMMIT PREPARED '${gid}'`);
    }
    expect(await target.sql("SELECT i FROM old")).toEqual([{ i: 7 }]);
  });
});

describe("source and target", () => {
  test("in the same cluster: two databases are fine, one and the same is refused under whatever name it is reached", async () => {
    await using source = await freshShop("source");
    await using target = reservedDatabase("source");
    await copy(source, target);
    await expectSame(source, target);
    const before = await contents(source.url);
    for (const url of [source.url, source.url.replace("127.0.0.1", "localhost")]) {
      await expect(sync({ source: source.url, target: url, yes: true })).rejects.toMatchObject({
        code: "usage",
        exitCode: 2,
        message: expect.stringContaining("same database"),
      });
      await expect(sync({ source: source.url, target: url, yes: true, mode: "recreate" })).rejects.toMatchObject({ code: "usage" });
    }
    expect(await contents(source.url)).toEqual(before);
  });

  test("a copy of a copy carries the mark of its own maker alone", async () => {
    await using source = await freshDatabase("source", { sql: NEW });
    await source.sql(
      `ALTER DATABASE ${quoteName(source.name)} SET work_mem = '6MB'; ALTER DATABASE ${quoteName(source.name)} SET search_path = public, "odd ü"; ALTER DATABASE ${quoteName(source.name)} SET my.own = 'it''s; \\ "x"'`,
    );
    await using first = reservedDatabase("target");
    await using second = reservedDatabase("source");
    await copy(source, first);
    const { result } = await copy(first, second);
    await expectSame(source, second);
    const marks = await second.sql(
      "SELECT unnest(setconfig) AS s FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    expect(marks.filter(({ s }) => String(s).startsWith("pgditto.origin="))).toEqual([{ s: expect.stringContaining(result.run) }]);
    expect(marks.filter(({ s }) => String(s).startsWith("pgditto.origin="))[0]?.["s"]).not.toContain(server("target").password);
  });

  test("settings of the source's roles and database do not disturb the copy", async () => {
    await using source = await freshShop("source");
    const name = quoteName(source.name);
    await source.sql(
      `ALTER DATABASE ${name} SET statement_timeout = '100ms'; ALTER DATABASE ${name} SET default_transaction_read_only = on; ALTER DATABASE ${name} SET search_path = pg_temp; ALTER DATABASE ${name} SET datestyle = 'German';
      ALTER DATABASE ${name} SET row_security = off; ALTER DATABASE ${name} SET standard_conforming_strings = off; ALTER DATABASE ${name} SET default_table_access_method = heap; ALTER DATABASE ${name} SET check_function_bodies = on; ALTER DATABASE ${name} SET xmloption = document; ALTER DATABASE ${name} SET bytea_output = escape; ALTER DATABASE ${name} SET default_transaction_isolation = serializable; ALTER DATABASE ${name} SET session_replication_role = replica; ALTER DATABASE ${name} SET event_triggers = on`.replace(
        "; ALTER DATABASE " + name + " SET event_triggers = on",
        "",
      ),
    );
    await using target = reservedDatabase("target");
    const { events } = await copy(source, target);
    expect(warningCodes(events)).toEqual([]);
    // The comparing sessions would suffer from them.
    expect(await factsOf(target.url.replace(/[^/]*$/, "postgres"))).toBeDefined();
    const settings = (side: "source" | "target", database: string) =>
      sql(
        urlOf(server(side), "postgres"),
        "SELECT s AS setting FROM pg_db_role_setting, unnest(setconfig) s WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = $1) AND s NOT LIKE 'pgditto.%' ORDER BY 1",
        [database],
      );
    expect(await settings("target", target.name)).toEqual(await settings("source", source.name));
    for (const [side, database] of [
      ["source", source.name],
      ["target", target.name],
    ] as const)
      await sql(urlOf(server(side), "postgres"), `ALTER DATABASE ${quoteName(database)} RESET ALL`);
    expect(await contents(target.url)).toEqual(await contents(source.url));
  });
});
