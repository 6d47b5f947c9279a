import { describe, expect, test } from "vitest";
import { between, databasesOf, jsonLines, runBetween } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";
import { noTerminal, runInTerminal } from "../support/terminal.ts";

const SOURCE = { sql: "CREATE TABLE fresh AS SELECT n FROM generate_series(1, 100) n" };
const PRECIOUS = { sql: "CREATE TABLE precious AS SELECT n FROM generate_series(1, 7) n" };

const oidOf = (name: string) => sql(urlOf(server("target"), "postgres"), "SELECT oid FROM pg_database WHERE datname = $1", [name]);

describe("what stands in the target's place", () => {
  test("a database that pgditto did not make: refused without a word, replaced with --yes, and from then on without asking", async () => {
    await using source = await freshDatabase("source", SOURCE);
    await using target = await freshDatabase("target", PRECIOUS);
    const before = { contents: await contents(target.url), oid: await oidOf(target.name) };
    for (const input of ["", `${target.name}\n`, "y\n"]) {
      const { code, stderr } = await runBetween(source, target, [], { input });
      expect(code).toBe(6);
      expect(stderr).toContain(`/${target.name}`);
      expect(stderr).toMatch(/exists, is not empty and was not made by pgditto[^]*Hint +: Replace it with --yes/);
    }
    const json = await runBetween(source, target, ["--json"]);
    expect(json).toMatchObject({ code: 6, stderr: "" });
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({ type: "run:failed", exitCode: 6, error: { code: "not-confirmed" } });
    expect({ contents: await contents(target.url), oid: await oidOf(target.name) }).toEqual(before);
    expect(await databasesOf(target.name)).toEqual([target.name]);

    expect((await runBetween(source, target, ["--yes"])).code).toBe(0);
    expect(await contents(target.url)).toEqual(await contents(source.url));
    // what it made, it replaces: cron
    await source.sql("INSERT INTO fresh VALUES (-1)");
    expect((await runBetween(source, target)).code).toBe(0);
    expect(await contents(target.url)).toEqual(await contents(source.url));
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("anything a user made counts, a table need not be there; an empty database does not", async () => {
    await using source = await freshDatabase("source", SOURCE);
    for (const made of [
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE SCHEMA s",
      "SELECT lo_create(0)",
      "CREATE TYPE t AS ENUM ()",
    ]) {
      await using target = await freshDatabase("target", { sql: made });
      expect((await runBetween(source, target)).code).toBe(6);
    }
    await using empty = await freshDatabase("target");
    expect((await runBetween(source, empty)).code).toBe(0);
    expect(await contents(empty.url)).toEqual(await contents(source.url));
  });

  test("a copy of a copy is no copy of ours: the mark is the target's own, not a part of what is copied", async () => {
    await using source = await freshDatabase("source", SOURCE);
    await sql(urlOf(server("source"), "postgres"), `ALTER DATABASE "${source.name}" SET pgditto.origin = 'elsewhere'`);
    await using target = reservedDatabase("target");
    expect((await runBetween(source, target)).code).toBe(0);
    const [row] = await target.sql("SELECT current_setting('pgditto.origin') AS origin");
    expect(row?.["origin"]).toContain(source.name);
  });

  test("--keep-previous keeps the old one, and the one before it goes", async () => {
    await using source = await freshDatabase("source", SOURCE);
    await using target = await freshDatabase("target", PRECIOUS);
    const old = await contents(target.url);
    expect((await runBetween(source, target, ["--yes", "--keep-previous"])).code).toBe(0);
    expect(await databasesOf(target.name)).toEqual([target.name, `${target.name}_previous`]);
    const previous = urlOf(server("target"), `${target.name}_previous`);
    expect(await contents(previous)).toEqual(old);
    // that one pgditto did not make either
    const refused = await runBetween(source, target, ["--keep-previous"]);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain(`${target.name}_previous`);
    expect(await contents(previous)).toEqual(old);
    expect((await runBetween(source, target, ["--yes", "--keep-previous"])).code).toBe(0);
    expect(await contents(previous)).toEqual(await contents(source.url));
    expect(await databasesOf(target.name)).toEqual([target.name, `${target.name}_previous`]);
  });

  test("--mode recreate asks too, drops first, and leaves one database", async () => {
    await using source = await freshDatabase("source", SOURCE);
    await using target = await freshDatabase("target", PRECIOUS);
    expect((await runBetween(source, target, ["--mode", "recreate"])).code).toBe(6);
    expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 7 }]);
    const { code, stdout } = await runBetween(source, target, ["--mode", "recreate", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Mode +: recreate/);
    expect(await contents(target.url)).toEqual(await contents(source.url));
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test.runIf(server("target").major >= 15)("a role that may not leave the mark is told what its crontab needs", async () => {
    const role = uniqueName("pgditto_test");
    const admin = urlOf(server("target"), "postgres");
    await sql(admin, `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'm'`);
    try {
      await using source = await freshDatabase("source", SOURCE);
      await using target = reservedDatabase("target");
      const url = new URL(target.url);
      [url.username, url.password] = [role, "m"];
      const run = () => runBetween(source, { url: url.href }, ["--no-owner", "--no-acl"]);
      const first = await run();
      expect(first.code).toBe(0);
      expect(first.stdout).toMatch(new RegExp(`no-mark.*--yes.*GRANT SET ON PARAMETER pgditto\\.origin TO "${role}";`));
      expect((await run()).code).toBe(6);
      await sql(admin, `GRANT SET ON PARAMETER pgditto.origin TO ${role}`);
      expect((await runBetween(source, { url: url.href }, ["--no-owner", "--no-acl", "--yes"])).code).toBe(0);
      expect((await run()).code).toBe(0);
      await sql(admin, `REVOKE SET ON PARAMETER pgditto.origin FROM ${role}`);
    } finally {
      await sql(admin, `DROP ROLE ${role}`);
    }
  });
});

describe.skipIf(noTerminal !== undefined)(`at a terminal${noTerminal === undefined ? "" : ` (skipped: ${noTerminal})`}`, () => {
  test("another name than the target's: refused", async () => {
    await using source = await freshDatabase("source", SOURCE);
    await using target = await freshDatabase("target", PRECIOUS);
    await using terminal = await runInTerminal([], between(source, target));
    await terminal.waitFor(/Type the database's name \(\S+\) to go on:/);
    expect(await terminal.screen()).toMatch(/exists \([\d.]+[KM], owner postgres\) and was not made by pgditto/);
    await terminal.type("yes", "Enter");
    expect(await terminal.exitCode()).toBe(6);
    expect(await terminal.screen()).toMatch(/was not confirmed\. It is as it was/);
    expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 7 }]);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("its name: done, in colours; the next time nobody asks; NO_COLOR is heard", async () => {
    await using source = await freshDatabase("source", SOURCE);
    await using target = await freshDatabase("target", PRECIOUS);
    {
      await using terminal = await runInTerminal([], between(source, target));
      await terminal.waitFor(/to go on:/);
      await terminal.type(target.name, "Enter");
      expect(await terminal.exitCode()).toBe(0);
      const colours = await terminal.colours();
      for (const [code, text] of [
        [36, "SYNC CONFIGURATION"],
        [33, "STARTED  "],
        [32, "DONE     "],
        [32, "SYNC COMPLETED SUCCESSFULLY"],
      ] as const)
        expect(colours).toMatch(new RegExp(`\\u001B\\[${code}m[^\\u001B]*${text}`));
    }
    expect(await contents(target.url)).toEqual(await contents(source.url));
    await using again = await runInTerminal([], between(source, target, { NO_COLOR: "1" }));
    expect(await again.exitCode()).toBe(0);
    expect(await again.colours()).not.toContain("\u001B[3");
  });

  test.each([
    ["C-c", 130],
    ["C-d", 6],
  ])("%s instead of an answer: exit %i, at once, and nothing is touched", async (key, code) => {
    await using source = await freshDatabase("source", SOURCE);
    await using target = await freshDatabase("target", PRECIOUS);
    await using terminal = await runInTerminal([], between(source, target));
    await terminal.waitFor(/to go on:/);
    const started = Date.now();
    await terminal.type(key);
    expect(await terminal.exitCode()).toBe(code);
    expect(Date.now() - started).toBeLessThan(5000);
    expect(await terminal.screen()).toMatch(new RegExp(`Exit code : ${code}`));
    expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 7 }]);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });
});
