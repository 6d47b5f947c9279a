import { execFile, spawnSync } from "node:child_process";
import { chmod, chown, copyFile, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../../src/demo/cluster.ts";
import { stagingOf, until } from "../support/cli-run.ts";
import { reservedDatabase } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { type CliResult, runCli, startCli } from "../support/run-cli.ts";
import { ownCluster } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const run = promisify(execFile);
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

let folder = "";
/** Speaks TLS, and lets nobody in without, but the tests themselves on their own account. */
let cluster: Cluster;
let tls = false;

async function openssl(...args: string[]): Promise<void> {
  await run("openssl", args, { cwd: folder });
}

/** `name.crt` and `name.key`, signed by `ca`. */
async function certificate(name: string, ca: string, subject: string, extension = ""): Promise<void> {
  await openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${subject}`);
  await writeFile(join(folder, `${name}.ext`), extension);
  await openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    `${ca}.crt`,
    "-CAkey",
    `${ca}.key`,
    "-CAcreateserial",
    "-days",
    "2",
    "-out",
    `${name}.crt`,
    "-extfile",
    `${name}.ext`,
  );
  await chmod(join(folder, `${name}.key`), 0o600);
}

async function authority(name: string): Promise<void> {
  await openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`,
    "-subj",
    `/CN=${name}`,
  );
}

beforeAll(async () => {
  if (!hasOpenssl) return;
  folder = await mkdtemp(join(tmpdir(), "test-tls-"));
  await authority("ca");
  await authority("stranger");
  await certificate("server", "ca", "localhost", "subjectAltName=DNS:localhost\n");
  await certificate("client", "ca", "certified");
  await certificate("false-client", "stranger", "certified");
  cluster = await ownCluster("source");
  await sql(cluster.url("postgres"), "CREATE DATABASE shop");
  await sql(cluster.url("postgres"), "CREATE ROLE certified SUPERUSER LOGIN");
  await sql(cluster.url("postgres"), "CREATE ROLE plain SUPERUSER LOGIN PASSWORD 'plain'");
  await sql(cluster.url("shop"), "CREATE TABLE t AS SELECT n, repeat(md5(n::text), 100) AS filler FROM generate_series(1, 300) n");
  const owner = await stat(cluster.dataDir);
  for (const file of ["server.crt", "server.key", "ca.crt"]) {
    const path = join(cluster.dataDir, file);
    await copyFile(join(folder, file), path);
    await chown(path, owner.uid, owner.gid);
    await chmod(path, 0o600);
  }
  await writeFile(
    join(cluster.dataDir, "pg_hba.conf"),
    `hostssl all certified 127.0.0.1/32 cert\nhostssl all postgres 127.0.0.1/32 scram-sha-256\nhostnossl all plain 127.0.0.1/32 scram-sha-256\nhost all test 127.0.0.1/32 trust\n`,
  );
  await sql(cluster.url("postgres"), "CREATE ROLE test SUPERUSER LOGIN");
  for (const setting of ["ssl_ca_file = 'ca.crt'", "ssl = on"])
    await sql(cluster.url("postgres"), `ALTER SYSTEM SET ${setting}`).catch(() => {});
  await sql(cluster.url("postgres"), "SELECT pg_reload_conf()");
  tls = await until(async () => (await sql(asTest("postgres"), "SHOW ssl"))[0]?.["ssl"] === "on", 5000).then(
    () => true,
    () => false,
  );
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  if (folder !== "") await rm(folder, { recursive: true });
});

const asTest = (database: string): string => `postgresql://test@127.0.0.1:${cluster.port}/${database}`;
const url = (database: string, { user = "postgres", host = "localhost", params = "" } = {}): string =>
  `postgresql://${user}${user === "postgres" ? `:${cluster.password}` : user === "plain" ? ":plain" : ""}@${host}:${cluster.port}/${database}${params}`;

let count = 0;
/** From the one database of the server to another one of it, both ways the same. */
async function copy(
  options: { user?: string; host?: string; params?: string },
  env: Record<string, string> = {},
  args: string[] = [],
): Promise<CliResult> {
  count += 1;
  const to = `copy_${count}`;
  const result = await runCli(args, { env: { MAIN_DB_URL: url("shop", options), ARCHIVE_DB_URL: url(to, options), ...env } });
  if (result.code === 0) expect(await contents(asTest(to))).toEqual(await contents(asTest("shop")));
  return result;
}

describe.skipIf(!hasOpenssl)("sslmode, as libpq means it (skipped where openssl is missing)", () => {
  test("the server does speak TLS here", ({ skip }) => {
    if (!tls) skip("this server was built without TLS");
  });

  test.each(["?sslmode=prefer", "?sslmode=allow"])("a server that wants TLS, and %j: copied, encrypted", async (params) => {
    if (!tls) return;
    expect(await copy({ params })).toMatchObject({ code: 0, stderr: "" });
  });

  test("every session of a run is encrypted, pg_dump's included", async () => {
    if (!tls) return;
    await sql(asTest("postgres"), `CREATE DATABASE slow`);
    await sql(
      asTest("slow"),
      `CREATE FUNCTION slow() RETURNS int LANGUAGE plpgsql AS $$BEGIN IF current_database() ~ '__pgditto_' THEN PERFORM pg_sleep(1); END IF; RETURN 1; END$$`,
    );
    await sql(asTest("slow"), "CREATE MATERIALIZED VIEW v AS SELECT slow()");
    await using cli = await startCli(["--jobs", "2"], { env: { MAIN_DB_URL: url("slow"), ARCHIVE_DB_URL: url("copy_of_slow") } });
    const seen = new Map<string, boolean>();
    const done = new AbortController();
    const watching = (async () => {
      while (!done.signal.aborted) {
        const rows = await sql(
          asTest("postgres"),
          "SELECT application_name AS name, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name ~ '^pgditto'",
        );
        for (const { name, ssl } of rows) seen.set(String(name).replace(/^pgditto \w+ (.*) \d+@.*/, "$1"), ssl === true);
      }
    })();
    expect((await cli.result).code).toBe(0);
    done.abort();
    await watching;
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["source", "control", "pg_dump", "worker 1", "worker 2"]));
    expect([...seen.values()]).not.toContain(false);
  });

  test("a server that wants TLS, and sslmode=disable: exit 4, with what the server said and what to do", async () => {
    if (!tls) return;
    const { code, stderr } = await copy({ params: "?sslmode=disable" });
    expect(code).toBe(4);
    expect(stderr).toMatch(/SQLSTATE +: 28000[^]*no encryption|SSL off/);
    expect(stderr).toMatch(/Hint +: .*sslmode/);
  });

  test("a server's rule that wants no TLS: prefer falls back, require does not", async () => {
    if (!tls) return;
    expect((await copy({ user: "plain", params: "?sslmode=prefer" })).code).toBe(0);
    const { code, stderr } = await copy({ user: "plain", params: "?sslmode=require" });
    expect(code).toBe(4);
    expect(stderr).toMatch(/28000/);
  });

  test("verify-ca and verify-full with the right authority; by URL and by variable", async () => {
    if (!tls) return;
    const ca = join(folder, "ca.crt");
    expect(await copy({ params: `?sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}` })).toMatchObject({ code: 0, stderr: "" });
    expect(await copy({}, { PGSSLMODE: "verify-full", PGSSLROOTCERT: ca })).toMatchObject({ code: 0, stderr: "" });
    // the certificate is for localhost, which verify-ca does not ask
    expect((await copy({ host: "127.0.0.1" }, { PGSSLMODE: "verify-ca", PGSSLROOTCERT: ca })).code).toBe(0);
  });

  test.each([
    ["another name than the certificate's", "127.0.0.1", "verify-full", "ca.crt", /127\.0\.0\.1[^]*(?:does not match|altnames)/i],
    ["a stranger's authority", "localhost", "verify-ca", "stranger.crt", /certificate/i],
    ["a stranger's authority with require: libpq verifies then", "localhost", "require", "stranger.crt", /certificate/i],
  ])("%s: exit 4, and no password is sent", async (_, host, mode, ca, pattern) => {
    if (!tls) return;
    const { code, stderr } = await copy({ host }, { PGSSLMODE: mode, PGSSLROOTCERT: join(folder, ca) });
    expect(code).toBe(4);
    expect(stderr).toMatch(pattern);
    expect(stderr).toMatch(/Hint +: .*(?:sslmode|sslrootcert|certificate)/i);
  });

  test("the target's side: exit 5", async () => {
    if (!tls) return;
    const { code, stderr } = await runCli([], {
      env: {
        MAIN_DB_URL: url("shop"),
        ARCHIVE_DB_URL: url("copy_never", {
          params: `?sslmode=verify-full&sslrootcert=${encodeURIComponent(join(folder, "stranger.crt"))}`,
        }),
      },
    });
    expect(code).toBe(5);
    expect(stderr).toMatch(/Side +: target/);
  });

  test("verify-full without a root certificate: exit 2, and which file is looked for", async () => {
    if (!tls) return;
    const { code, stderr } = await copy({ params: "?sslmode=verify-full" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/root certificate, and .*root\.crt does not exist/);
  });

  test("a client certificate instead of a password; without one, or with a stranger's, refused", async () => {
    if (!tls) return;
    const params = (name: string) =>
      `?sslmode=verify-full&sslrootcert=${encodeURIComponent(join(folder, "ca.crt"))}&sslcert=${encodeURIComponent(join(folder, `${name}.crt`))}&sslkey=${encodeURIComponent(join(folder, `${name}.key`))}`;
    expect((await copy({ user: "certified", params: params("client") })).code).toBe(0);
    expect((await copy({ user: "certified", params: params("client") }, {}, ["--pg-dump", "wasm"])).code).toBe(0);
    for (const bad of [params("false-client"), "?sslmode=require"]) {
      const { code, stderr } = await copy({ user: "certified", params: bad });
      expect(code).toBe(4);
      expect(stderr).toMatch(/certificate|unknown ca|alert/i);
      expect(stderr).toMatch(/Hint +: .*(?:certificate|pg_hba)/);
    }
    // a key that others may read is refused as by libpq
    await chmod(join(folder, "client.key"), 0o644);
    const { code, stderr } = await copy({ user: "certified", params: params("client") });
    await chmod(join(folder, "client.key"), 0o600);
    expect(code).toBe(2);
    expect(stderr).toMatch(/client\.key may be read or written by group or others[^]*chmod 600/);
  });

  test("cancelling over TLS: Ctrl+C ends the statements there too", async () => {
    if (!tls) return;
    await using target = reservedDatabase("target");
    await using cli = await startCli([], { env: { MAIN_DB_URL: url("shop"), ARCHIVE_DB_URL: target.url } });
    await stagingOf(target.name);
    cli.kill("SIGINT");
    expect((await cli.result).code).toBe(130);
    await until(
      async () =>
        (await sql(asTest("postgres"), "SELECT FROM pg_stat_activity WHERE application_name ~ $1", [`^pgditto .* ${cli.pid}@`])).length ===
        0,
    );
  });
});

test("a server without TLS, and sslmode=require: exit 4, said in words", async () => {
  await using own = await ownCluster("source");
  const { code, stderr } = await runCli([], {
    env: { MAIN_DB_URL: `${own.url("postgres")}?sslmode=require`, ARCHIVE_DB_URL: own.url("copy") },
  });
  expect(code).toBe(4);
  expect(stderr).toMatch(/does not support SSL/);
  expect(stderr).toMatch(/Hint +: .*sslmode/);
});
