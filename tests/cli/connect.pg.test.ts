import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { databasesOf, jsonLines, runBetween } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { runCli } from "../support/run-cli.ts";
import { ownCluster, server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const TABLES = "CREATE TABLE a AS SELECT n FROM generate_series(1, 10) n; CREATE TABLE b AS SELECT n FROM generate_series(1, 20) n;";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "test-connect-"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe("a side that cannot be reached: exit 4 for the source, 5 for the target, at once", () => {
  const good = { source: urlOf(server("source"), "postgres"), target: urlOf(server("target"), "postgres") };
  const changed = (side: "source" | "target", change: (url: URL) => void): string => {
    const url = new URL(good[side]);
    change(url);
    return url.href;
  };
  const cases: Array<[string, (url: URL) => void, RegExp[]]> = [
    [
      "nobody listens",
      (url) => (url.port = "1"),
      [/ECONNREFUSED/, /Nothing listens at 127\.0\.0\.1:1\. Is the server up/, /_HOST and \w+_PORT/],
    ],
    ["an unknown host", (url) => (url.hostname = "no-such-host.invalid"), [/no-such-host\.invalid/, /Check \w+_HOST/]],
    ["a wrong password", (url) => (url.password = "wr0ng-secret"), [/28P01/, /password for postgres is wrong/]],
    ["an unknown role", (url) => (url.username = "nobody_here"), [/28P01/, /nobody_here/]],
    ["no socket in the folder", (url) => (url.search = "?host=/tmp/no-such-folder"), [/ENOENT/, /no socket for port/]],
  ];
  for (const [side, code, name] of [
    ["source", 4, "source (MAIN)"],
    ["target", 5, "target (ARCHIVE)"],
  ] as const) {
    test.each(cases)(`${side}: %s`, async (_, change, patterns) => {
      const url = changed(side, change);
      const started = Date.now();
      const result = await runBetween({ url: side === "source" ? url : good.source }, { url: side === "target" ? url : good.target });
      expect(Date.now() - started).toBeLessThan(5000);
      expect(result.code).toBe(code);
      expect(result.stderr).toMatch(new RegExp(`Exit code : ${code}`));
      expect(result.stderr).toContain(name);
      for (const pattern of patterns) expect(result.stderr).toMatch(pattern);
      expect(result.stdout + result.stderr).not.toContain("wr0ng-secret");
    });
  }

  test("an unknown source database; names are case-sensitive", async () => {
    const result = await runBetween({ url: urlOf(server("source"), "POSTGRES") }, reservedDatabase("target"));
    expect(result.code).toBe(4);
    expect(result.stderr).toMatch(/SQLSTATE +: 3D000[^]*no database POSTGRES there\. Check MAIN_DB_NAME/);
  });

  test("a target database that does not exist is made", async () => {
    await using source = await freshDatabase("source", { sql: TABLES });
    await using target = reservedDatabase("target");
    expect(await runBetween(source, target)).toMatchObject({ code: 0, stderr: "" });
    expect(await contents(target.url)).toEqual(await contents(source.url));
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("doctor looks at both sides, and tells of both", async () => {
    const { code, stderr } = await runBetween(
      { url: changed("source", (url) => (url.port = "1")) },
      { url: changed("target", (url) => (url.port = "2")) },
      ["doctor"],
    );
    expect(code).toBe(4);
    expect(stderr).toMatch(/127\.0\.0\.1:1\//);
    expect(stderr).toMatch(/127\.0\.0\.1:2\//);
  });
});

describe("the environment of the original script", () => {
  const part = (prefix: string, side: "source" | "target", name: string): Record<string, string> => {
    const { host, port, user, password } = server(side);
    return {
      [`${prefix}_HOST`]: host,
      [`${prefix}_PORT`]: String(port),
      [`${prefix}_USER`]: user,
      [`${prefix}_PASSWORD`]: password,
      [`${prefix}_NAME`]: name,
    };
  };

  test("says where from and where to, how many at once and which tables", async () => {
    await using source = await freshDatabase("source", { name: uniqueName("Größe %1"), sql: TABLES });
    await using target = reservedDatabase("target", uniqueName("Größe %2"));
    const env = {
      ...part("MAIN_DB", "source", source.name),
      ...part("ARCHIVE_DB", "target", target.name),
      PG_JOBS: "2",
      BATCH_SIZE: "3",
      RETRY_COUNT: "2",
      CORE_TABLES: "a, nosuch*",
      DUMP_DIR: join(folder, "never-made"),
    };
    const unmatched = await runCli([], { env });
    expect(unmatched.code).toBe(2);
    expect(unmatched.stderr).toMatch(/nosuch\*/);
    expect(await databasesOf(target.name)).toEqual([]);
    const { code, stdout } = await runCli([], { env: { ...env, CORE_TABLES: "a" } });
    expect(code).toBe(0);
    expect(stdout).toContain(`/${source.name}\n`);
    expect(stdout).toMatch(/Jobs +: 2 [^]*Tables at once +: 3 \(6 connections/);
    expect(await target.sql("SELECT (SELECT count(*)::int FROM a) AS a, (SELECT count(*)::int FROM b) AS b")).toEqual([{ a: 10, b: 0 }]);
    expect(existsSync(join(folder, "never-made"))).toBe(false);
  });

  test("a URL in the environment goes before its parts, a flag before the URL", async () => {
    await using source = await freshDatabase("source", { sql: TABLES });
    await using target = reservedDatabase("target");
    const env = {
      ...part("MAIN_DB", "source", "not_this_one"),
      MAIN_DB_URL: source.url,
      ARCHIVE_DB_URL: "postgresql://nobody@127.0.0.1:1/neither",
    };
    expect(await runCli(["--target", target.url], { env })).toMatchObject({ code: 0 });
    expect(await contents(target.url)).toEqual(await contents(source.url));
    // what the URL lacks comes from the parts
    const { host, port } = server("source");
    const bare = { ...env, ...part("MAIN_DB", "source", source.name), MAIN_DB_URL: `postgresql://${host}:${port}` };
    expect(await runCli(["--target", target.url], { env: bare })).toMatchObject({ code: 0 });
  });
});

describe("where the password comes from", () => {
  const PASSWORD = "un:us\\ual p%ss 'ß";
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await ownCluster("source", { password: PASSWORD });
    await sql(cluster.url("postgres"), "CREATE DATABASE here");
    await sql(cluster.url("here"), TABLES);
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());

  const at = (database: string) => `postgresql://postgres@127.0.0.1:${cluster.port}/${database}`;
  const run = async (env: Record<string, string>, database: string, args: string[] = []) =>
    await runBetween({ url: at("here") }, { url: at(database) }, args, { env });

  test("a password file; a line each for what it may open; one that others may read is not used, and that is said", async () => {
    const file = join(folder, "pgpass");
    const line = `127.0.0.1:${cluster.port}:*:postgres:${PASSWORD.replaceAll(/[:\\]/g, "\\$&")}`;
    await writeFile(file, `# mine\nother:1:*:*:wrong\n${line}\n`, { mode: 0o600 });
    expect(await run({ PGPASSFILE: file, PGPASSWORD: "wrong" }, "by_file")).toMatchObject({ code: 0 });
    await chmod(file, 0o640);
    const open = await run({ PGPASSFILE: file }, "by_file");
    expect(open.code).toBe(4);
    expect(open.stdout).toMatch(new RegExp(`${file} is ignored because group or others may read or write it.*chmod 600`));
    expect((await run({ PGPASSFILE: join(folder, "gone") }, "by_file")).stdout).toMatch(/pgpass-missing|does not exist/);
    // ~/.pgpass
    const home = await mkdtemp(join(folder, "home-"));
    await writeFile(join(home, ".pgpass"), `${line}\n`, { mode: 0o600 });
    expect(await run({ HOME: home }, "by_file")).toMatchObject({ code: 0 });
  });

  test("PGPASSWORD, for both sides", async () => {
    expect(await run({ PGPASSWORD: PASSWORD }, "by_variable")).toMatchObject({ code: 0 });
  });

  test("none: the original's default is tried, with a warning", async () => {
    await using other = await ownCluster("source", { password: "0206" });
    await sql(other.url("postgres"), "CREATE DATABASE here");
    const url = `postgresql://postgres@127.0.0.1:${other.port}`;
    const { code, stdout } = await runBetween({ url: `${url}/here` }, { url: `${url}/there` }, ["--json"]);
    expect(code).toBe(0);
    const warnings = jsonLines(stdout).filter((line) => line["code"] === "default-password");
    expect(warnings).toHaveLength(2);
    expect(JSON.stringify(warnings)).toMatch(/Set MAIN_DB_PASSWORD, or add a line to .*\.pgpass/);
    expect(stdout).not.toContain("0206");
    // and where it is not the password, nobody is left to guess why
    const refused = await run({}, "never");
    expect(refused.code).toBe(4);
    expect(refused.stdout).toMatch(/default-password/);
    expect(refused.stderr).toMatch(/28P01/);
  });

  test("over a Unix socket, as host or in the URL", async () => {
    const socket = await mkdtemp(join(tmpdir(), "s-"));
    await chmod(socket, 0o777);
    try {
      await using local = await ownCluster("source", { password: PASSWORD, settings: { unix_socket_directories: socket } });
      await sql(local.url("postgres"), "CREATE DATABASE here");
      await sql(local.url("here"), TABLES);
      const env = {
        MAIN_DB_HOST: socket,
        MAIN_DB_PORT: String(local.port),
        MAIN_DB_NAME: "here",
        MAIN_DB_PASSWORD: PASSWORD,
        ARCHIVE_DB_URL: `postgresql://postgres:${encodeURIComponent(PASSWORD)}@/there?host=${encodeURIComponent(socket)}&port=${local.port}&sslmode=require`,
      };
      expect(await runCli([], { env })).toMatchObject({ code: 0, stderr: "" });
      expect(await contents(local.url("there"))).toEqual(await contents(local.url("here")));
    } finally {
      await rm(socket, { recursive: true });
    }
  });
});
