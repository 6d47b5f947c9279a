import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { stagingOf } from "../support/cli-run.ts";
import { reservedDatabase } from "../support/databases.ts";
import { startCli } from "../support/run-cli.ts";
import { ownCluster } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const PASSWORD = "h'unt\\er2 ß&%=:@/?#s€cret";

/** An installed pg_dump; empty where there is none. */
const installed = spawnSync("sh", ["-c", "command -v pg_dump"], { encoding: "utf8" }).stdout.trim();
const versionText = installed === "" ? "" : spawnSync(installed, ["--version"], { encoding: "utf8" }).stdout;
const installedMajor = Number(/\) (\d+)/.exec(versionText)?.[1] ?? 0);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await ownCluster("source", { password: PASSWORD });
  await sql(cluster.url("postgres"), "CREATE DATABASE shop");
  await sql(
    cluster.url("shop"),
    "CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n; CREATE INDEX ON t (n); CREATE TABLE broken (i int)",
  );
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

/** How the password could be written down somewhere. */
const FORMS = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  JSON.stringify(PASSWORD).slice(1, -1),
  PASSWORD.replaceAll("'", "''"),
  PASSWORD.replaceAll(/['\\]/g, "\\$&"),
  Buffer.from(PASSWORD).toString("base64"),
  "unt\\er2",
  "s€cret",
  "s%E2%82%ACcret",
];

/** Every process below `pid`, with its arguments and environment, as others of the same user can see them. */
async function descendants(pid: number): Promise<Array<{ pid: number; text: string }>> {
  const all = await Promise.all(
    (await readdir("/proc").catch(() => []))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const read = (file: string): Promise<string> => readFile(`/proc/${name}/${file}`, "utf8").catch(() => "");
        const parent = Number(/^PPid:\s+(\d+)/m.exec(await read("status"))?.[1]);
        return { pid: Number(name), parent, cmdline: await read("cmdline"), environ: await read("environ") };
      }),
  );
  const below = new Set([pid]);
  for (let size = 0; size !== below.size;) {
    size = below.size;
    for (const one of all) if (below.has(one.parent)) below.add(one.pid);
  }
  below.delete(pid);
  // between fork and exec a child shows its parent's memory, and so the variables that the user gave to pgditto
  const own = all.find((one) => one.pid === pid)?.cmdline;
  const others = all.filter((one) => below.has(one.pid) && one.cmdline !== own);
  return others.map((one) => ({ pid: one.pid, text: `${one.cmdline}\n${one.environ}` }));
}

/** Small files below the folder, by name; sockets and the servers' own data apart. */
async function textOfFiles(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const texts = entries
    .filter((entry) => entry.isFile() && !/pgditto-cluster-|pgpass/.test(entry.parentPath + entry.name))
    .map(async (entry) => `${entry.name}\n${await readFile(join(entry.parentPath, entry.name), "utf8").catch(() => "")}`);
  return (await Promise.all(texts)).join("\n");
}

interface Way {
  env: Record<string, string>;
  args?: string[];
}

describe("a password is nowhere to be seen", () => {
  const bare = (database: string) => `postgresql://postgres@127.0.0.1:${cluster.port}/${database}`;
  const ways: Array<[string, (folder: string) => Promise<Way>]> = [
    [
      "in a URL, and a pg_dump that tells what it was given",
      async (folder) => {
        const env = { MAIN_DB_URL: cluster.url("shop"), ARCHIVE_DB_URL: cluster.url("copy_url") };
        if (installed === "") return { env };
        const bin = join(folder, "pgpass-bin");
        await mkdir(bin);
        const script = `#!/bin/sh\n{ env; echo "$@"; } >> ${folder}/pg_dump-saw\nexec ${installed} "$@"\n`;
        await writeFile(join(bin, "pg_dump"), script, { mode: 0o755 });
        return { env: { ...env, PGDITTO_PG_BIN: bin } };
      },
    ],
    [
      "in a URL, the built-in pg_dump, as JSON",
      async () => ({
        env: { MAIN_DB_URL: cluster.url("shop"), ARCHIVE_DB_URL: cluster.url("copy_wasm") },
        args: ["--json", "--pg-dump", "wasm"],
      }),
    ],
    [
      "in variables, as JSON",
      async () => ({
        env: {
          MAIN_DB_URL: bare("shop"),
          MAIN_DB_PASSWORD: PASSWORD,
          ARCHIVE_DB_URL: bare("copy_variables"),
          ARCHIVE_DB_PASSWORD: PASSWORD,
        },
        args: ["--json"],
      }),
    ],
    [
      "in a password file",
      async (folder) => {
        await writeFile(join(folder, "pgpass"), `*:*:*:*:${PASSWORD.replaceAll(/[:\\]/g, "\\$&")}\n`, { mode: 0o600 });
        return { env: { MAIN_DB_URL: bare("shop"), ARCHIVE_DB_URL: bare("copy_file"), PGPASSFILE: join(folder, "pgpass") } };
      },
    ],
  ];

  test.each(ways)("%s: not in output, arguments, environments of children, files or the server's views", async (_, way) => {
    const folder = await mkdtemp(join(tmpdir(), "test-secrets-"));
    try {
      const { env, args = [] } = await way(folder);
      const seen = new Map<number, string>();
      const files: string[] = [];
      await using cli = await startCli(args, { env: { ...env, TMPDIR: folder } });
      const done = new AbortController();
      const watching = (async () => {
        while (!done.signal.aborted) {
          for (const child of await descendants(cli.pid)) seen.set(child.pid, `${seen.get(child.pid) ?? ""}${child.text}`);
          files.push(await textOfFiles(folder));
          await sleep(2);
        }
      })();
      const result = await cli.result;
      done.abort();
      await watching;
      expect(result.code).toBe(0);
      files.push(await textOfFiles(folder));
      // of an older pg_dump only the version is asked for
      if ("PGDITTO_PG_BIN" in env && installedMajor >= cluster.major) expect(files.at(-1)).toMatch(/PGSSLMODE=disable[^]*--snapshot=/);
      const views = JSON.stringify(await sql(cluster.url("postgres"), "SELECT * FROM pg_stat_activity"));
      const log = await readFile(cluster.logFile, "utf8");
      for (const form of FORMS) {
        for (const [where, text] of Object.entries({
          stdout: result.stdout,
          stderr: result.stderr,
          children: [...seen.values()].join("\n"),
          files: files.join("\n"),
          views,
          log,
        }))
          expect(text.includes(form), `${form} in ${where}`).toBe(false);
      }
      expect((await readdir(folder)).filter((name) => !/^pgpass|^pg_dump-saw/.test(name))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("not in what is told of failures, in words and in JSON", async () => {
    const url = (change: (url: URL) => void): string => {
      const one = new URL(cluster.url("shop"));
      change(one);
      return one.href;
    };
    const failures: Array<Record<string, string>> = [
      { MAIN_DB_URL: url((one) => (one.port = "1")) },
      { MAIN_DB_URL: url((one) => (one.pathname = "/none")) },
      { MAIN_DB_URL: url((one) => (one.username = "none")) },
      { MAIN_DB_URL: url((one) => (one.search = "?sslmode=require")) },
      { MAIN_DB_URL: url((one) => (one.search = "?nonsense=1")) },
      // an URL as people write them by hand: nothing is encoded
      { MAIN_DB_URL: `postgresql://postgres:${PASSWORD}@127.0.0.1:${cluster.port}/shop` },
      { MAIN_DB_URL: `host=127.0.0.1 password=${PASSWORD} dbname=shop` },
      { MAIN_DB_HOST: cluster.url("shop") },
      { MAIN_DB_URL: cluster.url("shop"), CORE_TABLES: "no_such_table" },
      { MAIN_DB_URL: cluster.url("shop"), PG_JOBS: "x" },
    ];
    for (const env of failures) {
      for (const args of [[], ["--json"]]) {
        await using cli = await startCli(args, { env: { ARCHIVE_DB_URL: cluster.url("copy_never"), ...env } });
        const { code, stdout, stderr } = await cli.result;
        expect(code).not.toBe(0);
        for (const form of FORMS)
          expect(`${stdout}${stderr}`.includes(form), `${form} of ${JSON.stringify(env)}\n${stdout}${stderr}`).toBe(false);
      }
    }
  });

  test("not in the mark that the copy carries, nor in the note on a staging database", async () => {
    await using source = await ownCluster("source", { password: PASSWORD });
    await sql(
      source.url("postgres"),
      `CREATE FUNCTION slow() RETURNS int LANGUAGE plpgsql AS $$BEGIN IF current_database() ~ '__pgditto_' THEN PERFORM pg_sleep(1); END IF; RETURN 1; END$$`,
    );
    await sql(source.url("postgres"), "CREATE MATERIALIZED VIEW v AS SELECT slow()");
    await using target = reservedDatabase("target");
    await using cli = await startCli([], { env: { MAIN_DB_URL: source.url("postgres"), ARCHIVE_DB_URL: target.url } });
    const staging = await stagingOf(target.name);
    const note = (name: string) =>
      sql(
        target.url.replace(/[^/]+$/, "postgres"),
        "SELECT shobj_description(d.oid, 'pg_database') AS note, setconfig FROM pg_database d LEFT JOIN pg_db_role_setting ON setdatabase = d.oid WHERE datname = $1",
        [name],
      );
    await cli.waitFor(/PHASE 2/);
    const during = JSON.stringify(await note(staging));
    expect(during).toContain(target.name);
    expect((await cli.result).code).toBe(0);
    const after = JSON.stringify(await note(target.name));
    expect(after).toContain("pgditto.origin");
    for (const form of FORMS) expect(`${during}${after}`.includes(form)).toBe(false);
  });
});

test("open files of a run are its own: no server's data, no password file stays open", async () => {
  await using cli = await startCli([], { env: { MAIN_DB_URL: cluster.url("shop"), ARCHIVE_DB_URL: cluster.url("copy_files") } });
  const names: string[] = [];
  while (!cli.stdout.includes("SYNC COMPLETED")) {
    for (const fd of await readdir(`/proc/${cli.pid}/fd`).catch(() => []))
      names.push(await readlink(`/proc/${cli.pid}/fd/${fd}`).catch(() => ""));
    await sleep(20);
  }
  expect((await cli.result).code).toBe(0);
  // nothing on disk: rows go from socket to socket
  expect(names.filter((name) => name.startsWith("/") && !/^\/(?:dev|proc|sys)\/|node_modules|\.js$|\/dist\//.test(name))).toEqual([]);
});
