import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cleanup, exportDump, importDump, leftovers, sync, type SyncEvent } from "../../src/index.ts";
import { findServerBinaries } from "../../src/demo/binaries.ts";
import { findNative } from "../../src/schema/pg-dump/find-pg-dump.ts";
import { startCluster } from "../../src/demo/cluster.ts";
import {
  backendsOf,
  databasesOf,
  expectNoBackends,
  jsonLines,
  runBetween,
  SLOW,
  stagingOf,
  startBetween,
  until,
} from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { dumpPlace, hasPrograms, NO_PROGRAMS } from "../support/dumps.ts";
import { copy, expectSame } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { type RunningCli, runCli, startCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const suitable = await hasPrograms();
const QUICK = "CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 10) n";
/** Rows that take a minute to restore. */
const SLOW_ROWS = `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 0.05))); INSERT INTO t SELECT n FROM generate_series(1, 1200) n;`;
const admin = urlOf(server("target"), "postgres");

/** Rows are on their way into the staging database. */
async function importing(cli: RunningCli): Promise<void> {
  await cli.waitFor(/\[IMPORT\] \[STARTED/);
  await until(async () => (await backendsOf(cli.pid)).some((backend) => /pg_restore.*COPY/.test(backend)));
}

describe.skipIf(!suitable)(`the end of a run (unless ${NO_PROGRAMS})`, () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s in mid import: no folder, no database, no session stays", async (signal, code) => {
    await using source = await freshDatabase("source", { sql: SLOW_ROWS });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    await using place = await dumpPlace();
    await using cli = await startBetween(source, target, ["--via", "dump", "--yes"], { cwd: place.path });
    await importing(cli);
    expect(await place.names()).toEqual([expect.stringMatching(/^migration_dumps_\d{8}_\d{6}$/)]);
    cli.kill(signal);
    expect((await cli.result).code).toBe(code);
    expect(await place.names()).toEqual([]);
    await expectNoBackends(cli.pid);
    expect(await databasesOf(target.name)).toEqual([target.name]);
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
  });

  test("Ctrl+C in mid export: what was written is gone, and pg_dump with it", async () => {
    await using source = await freshDatabase("source", {
      sql: "CREATE TABLE t AS SELECT n, repeat(md5(n::text), 20) AS v FROM generate_series(1, 200000) n",
    });
    await using place = await dumpPlace();
    await using cli = await startCli(["export", "d"], { env: { MAIN_DB_URL: source.url }, cwd: place.path });
    await cli.waitFor(/\[EXPORT\] \[STARTED/);
    await until(
      async () => (await sql(source.url, "SELECT FROM pg_stat_activity WHERE application_name ~ 'pg_dump' AND query ~ '^COPY'")).length > 0,
    );
    cli.kill("SIGINT");
    const { code, stdout } = await cli.result;
    expect(code).toBe(130);
    expect(await place.names()).toEqual([]);
    expect(stdout).toMatch(/removed: dump folder of this run/);
    await expectNoBackends(cli.pid);
  });

  test("rows that the target refuses: the error has the server's words, and nothing stays", async () => {
    // true on the source, false in a staging database
    await using source = await freshDatabase("source", {
      sql: `CREATE FUNCTION here() RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN current_database() !~ '__pgditto_'; END$$;
        CREATE TABLE t (i int CONSTRAINT only_here CHECK (public.here())); INSERT INTO t SELECT n FROM generate_series(1, 10) n;`,
    });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    const { code, stdout, stderr } = await runBetween(source, target, ["--via", "dump", "--json"], { cwd: place.path });
    expect(code, stderr).toBe(1);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      type: "run:failed",
      error: {
        code: "copy",
        side: "target",
        sqlstate: "23514",
        task: "import",
        message: expect.stringMatching(/only_here/),
        hint: expect.stringMatching(/\S/),
      },
    });
    expect(await place.names()).toEqual([]);
    // an export that was complete is worth keeping, where that was asked for
    expect((await runBetween(source, target, ["--via", "dump", "--keep-dumps"], { cwd: place.path })).code).toBe(1);
    expect(await place.names()).toEqual([expect.stringMatching(/^migration_dumps_/)]);
    expect(await databasesOf(target.name)).toEqual([]);
  });

  test("the session that held the target is lost while the source is exported: it is taken anew", async () => {
    await using source = await freshDatabase("source", { sql: QUICK });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    let ended: Promise<unknown> | undefined;
    await copy(source, target, {
      via: "dump",
      cwd: place.path,
      onEvent: (event) => {
        if (event.type !== "plan:ready") return;
        ended ??= sql(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ $1", [
          `^pgditto ${event.run} control`,
        ]);
      },
    });
    expect(await ended).toEqual([{ pg_terminate_backend: true }]);
    await expectSame(source, target);
  });

  test("--mode recreate: a target that is another database by now is not dropped", async () => {
    await using source = await freshDatabase("source", { sql: QUICK });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    // the mark by which nobody is asked
    await copy(source, target);
    let replaced: Promise<unknown> | undefined;
    const run = sync({
      source: source.url,
      target: target.url,
      mode: "recreate",
      via: "dump",
      cwd: place.path,
      onEvent: ({ type }) => {
        if (type !== "run:connected") return;
        replaced ??= (async () => {
          await sql(admin, `DROP DATABASE "${target.name}"`);
          await sql(admin, `CREATE DATABASE "${target.name}"`);
          await target.sql("CREATE TABLE precious AS SELECT 42 AS i");
        })();
      },
    });
    await expect(run).rejects.toMatchObject({ code: "swap", object: target.name });
    await replaced;
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("somebody who waits to alter a table is not waited for: the export ends, and says why", async () => {
    await using source = await freshDatabase("source", { sql: QUICK });
    await using place = await dumpPlace();
    let altering: Promise<unknown> | undefined;
    const exported = exportDump("d", {
      source: source.url,
      cwd: place.path,
      onEvent: (event) => {
        if (event.type === "plan:ready") altering ??= source.sql("ALTER TABLE t ADD COLUMN late int");
      },
    });
    await expect(exported).rejects.toMatchObject({ sqlstate: "57014", object: "public.t", hint: expect.stringMatching(/DDL/) as string });
    await altering;
    expect(await place.names()).toEqual([]);
  });

  test("where a role may have few connections, fewer jobs; with too few, a refusal before anything is written", async () => {
    const role = `dump_few_${process.pid}`;
    const on = server("source");
    await sql(urlOf(on, "postgres"), `CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 4`);
    try {
      await using source = await freshDatabase("source", { sql: `${QUICK}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}` });
      await using place = await dumpPlace();
      const url = urlOf({ ...on, user: role, password: "x" }, source.name);
      const events: SyncEvent[] = [];
      await exportDump("d", { source: url, cwd: place.path, jobs: 8, batchSize: 4, onEvent: (event) => events.push(event) });
      expect(events).toContainEqual(expect.objectContaining({ type: "message", code: "fewer-jobs" }));
      await sql(urlOf(on, "postgres"), `ALTER ROLE ${role} CONNECTION LIMIT 2`);
      await expect(exportDump("e", { source: url, cwd: place.path, retryCount: 1 })).rejects.toMatchObject({
        code: "preflight",
        message: expect.stringContaining("CONNECTION LIMIT 2") as string,
      });
      expect(await place.names()).toEqual(["d"]);
      await source.sql(`DROP OWNED BY ${role}`);
    } finally {
      await sql(urlOf(on, "postgres"), `DROP ROLE ${role}`);
    }
  });

  test("a connection of pg_restore that is lost: the entry is emptied and restored again, no row twice", async () => {
    await using source = await freshDatabase("source", {
      sql: `${SLOW} CREATE TABLE p (i int CHECK (slow(i, 0.02))) PARTITION BY RANGE (i);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1000);
        INSERT INTO p SELECT n FROM generate_series(1, 200) n;`,
    });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    await using cli = await startBetween(source, target, ["--via", "dump", "--jobs", "2"], { cwd: place.path });
    await importing(cli);
    await until(async () => {
      const rows = await sql(
        admin,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ $1 AND state = 'active' AND query ~ 'COPY'",
        [`^pgditto \\w+ pg_restore ${cli.pid}@`],
      );
      return rows.length > 0;
    });
    const { code, stdout } = await cli.result;
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/\[IMPORT\] \[RETRY +\] p +\| attempt 1 of 3 failed/);
    expect(await contents(target.url)).toEqual(await contents(source.url));
  });

  test("--keep-dumps keeps the folder of a run that succeeded: it can be imported", async () => {
    await using source = await freshDatabase("source", { sql: QUICK });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    const { code, stdout } = await runBetween(source, target, ["--via", "dump", "--keep-dumps"], { cwd: place.path });
    expect(code).toBe(0);
    const [name = ""] = await place.names();
    expect(stdout).toMatch(new RegExp(`The dump is kept in \\S*${name}`));
    expect(stdout).not.toMatch(/nothing of this run is left behind/);
    await using again = reservedDatabase("target");
    await importDump(name, { target: again.url, cwd: place.path });
    expect(await contents(again.url)).toEqual(await contents(source.url));
    // and it is nobody's leftover
    expect((await leftovers({ target: admin, cwd: place.path })).filter(({ object }) => object.startsWith(place.path))).toEqual([]);
  });
});

describe.skipIf(!suitable)(`after kill -9 (unless ${NO_PROGRAMS})`, () => {
  test("`cleanup` finds the folder of a dead run and removes what the run wrote, never that of a living one", async () => {
    await using source = await freshDatabase("source", { sql: SLOW_ROWS });
    await using target = reservedDatabase("target");
    await using place = await dumpPlace();
    const named = join(place.path, "named");
    await using dead = await startBetween(source, target, ["--via", "dump"], { cwd: place.path });
    await importing(dead);
    const staging = await stagingOf(target.name);
    dead.kill("SIGKILL");
    await dead.result;
    const [first = ""] = await place.names();
    await writeFile(join(place.path, first, "my notes"), "42");
    await using other = reservedDatabase("target");
    await using living = await startBetween(source, other, ["--via", "dump"], { cwd: place.path, env: { DUMP_DIR: named } });
    await importing(living);

    const options = { target: admin, cwd: place.path, dumpDir: named };
    const found = (await leftovers(options)).filter(({ object }) => object.startsWith(place.path) || object === staging);
    expect(found.toSorted((a, b) => a.object.localeCompare(b.object))).toMatchObject([
      { kind: "dump-folder", object: join(place.path, first), alive: false },
      { kind: "dump-folder", object: named, alive: true },
      { kind: "database", object: staging },
    ]);
    expect(found[0]?.bytes).toBeGreaterThan(1000);
    expect(await cleanup(found, options)).toBe(2);
    // what the user has put there is the user's
    expect((await place.names()).toSorted()).toEqual([first, "named"].toSorted());
    expect(await importDump(first, { target: other.url, cwd: place.path }).catch((error: { code: string }) => error.code)).toBe(
      "dump-folder",
    );
    living.kill("SIGINT");
    expect((await living.result).code).toBe(130);
    expect(await place.names()).toEqual([first]);
  });
});

test("a folder that is another run's by now, or nobody's, is not removed for a dead one's", async () => {
  await using place = await dumpPlace();
  const folder = join(place.path, "migration_dumps_1");
  await mkdir(folder);
  await writeFile(join(folder, "precious-1.dump"), "42");
  const mark = (run: string): Promise<void> => {
    const marker = {
      run,
      host: hostname(),
      pid: 2 ** 30,
      started: "2026-01-01T00:00:00Z",
      keep: false,
      existed: false,
      names: ["t-1.dir"],
    };
    return writeFile(join(folder, "pgditto-dump.json"), JSON.stringify(marker));
  };
  await mark("aaaaaaaaaa");
  const options = { target: admin, cwd: place.path, dumpDir: `${folder}/../migration_dumps_1` };
  const found = (await leftovers(options)).filter(({ kind }) => kind === "dump-folder");
  expect(found).toMatchObject([{ object: folder, run: "aaaaaaaaaa" }]);
  // between the list and the removal
  await mark("bbbbbbbbbb");
  expect(await cleanup(found, options)).toBe(0);
  expect((await readdir(folder)).toSorted()).toEqual(["pgditto-dump.json", "precious-1.dump"]);
  await rm(join(folder, "pgditto-dump.json"));
  expect(await cleanup(found, options)).toBe(0);
  expect(await readdir(folder)).toEqual(["precious-1.dump"]);
  // and in the last moment
  const events: string[] = [];
  await mark("aaaaaaaaaa");
  const [left] = (await leftovers(options)).filter(({ kind }) => kind === "dump-folder");
  expect(left).toBeDefined();
  expect(await cleanup(left ? [left, left] : [], { ...options, onEvent: ({ type }) => events.push(type) })).toBe(1);
  expect(events).toEqual(["cleanup", "cleanup"]);
  expect(await readdir(folder)).toEqual(["precious-1.dump"]);
});

test("without a pg_dump that suits the source the error names the package, and --via stream", async ({ skip }) => {
  const binaries = await findServerBinaries({ env: process.env, prefer: "embedded" });
  const found = await findNative({ choice: "native", pathEnv: process.env["PATH"], platform: process.platform });
  const major = Number(binaries.version.split(".")[0]);
  if (found.some(({ version }) => Math.floor(version / 10_000) >= major)) return skip("a newer pg_dump is installed");
  await using cluster = await startCluster({ binaries });
  await using place = await dumpPlace();
  await using target = reservedDatabase("target");
  for (const [args, code] of [
    [["export", "d"], 1],
    [["--via", "dump"], 1],
    [["doctor", "--via", "dump"], 6],
  ] as const) {
    const result = await runCli(args, { env: { MAIN_DB_URL: cluster.url("postgres"), ARCHIVE_DB_URL: target.url }, cwd: place.path });
    expect(result.code, result.stderr).toBe(code);
    expect(result.stdout + result.stderr).toMatch(/postgresql-client-\d+[^]*--via stream/);
  }
  expect(await place.names()).toEqual([]);
});
