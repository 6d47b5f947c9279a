import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Cluster } from "../src/demo/cluster.ts";
import type { PgdittoError } from "../src/errors.ts";
import { connect } from "../src/postgres/connect.ts";
import type { ConnectionConfig } from "../src/postgres/connection-config.ts";
import { quoteIdent, quoteLiteral } from "../src/postgres/quote.ts";
import type { Session } from "../src/postgres/session.ts";
import { findPgDump } from "../src/schema/pg-dump/find-pg-dump.ts";
import type { PgDumpProgram } from "../src/schema/pg-dump/pg-dump-program.ts";
import { runClient } from "../src/schema/pg-dump/run-client.ts";
import { runPgDump } from "../src/schema/pg-dump/run-pg-dump.ts";
import { ownCluster, server } from "./support/servers.ts";

const PASSWORD = "Scram-geheim-'\\77";
const APPLICATION = "pg-dump-test";
const ARGS = ["--verbose", "--create", "--section=pre-data", "--section=post-data", "--encoding=UTF8", "--lock-wait-timeout=20000"];
const ODD_DATABASE = `we"ird 'ß%s \\ a=b 日本`;

/** What differs from other test files: its own temporary folder, so that whatever is left in it is of here. */
const root = mkdtempSync(path.join(tmpdir(), "pg-dump-"));
const tmp = path.join(root, "t");
const savedTmpdir = process.env["TMPDIR"];

const sourceVersion = server("source").major * 10_000;
const hasNative =
  (await findPgDump({ choice: "auto", platform: process.platform, pathEnv: process.env["PATH"], sourceVersion })).kind === "native";

/** A server of our own: tests here end sessions by their application name, and read what others must not see. */
let cluster: Cluster;
let port = 0;
let superuser: Session;

function at(database: string, user = "postgres"): ConnectionConfig {
  return {
    side: "source",
    host: "127.0.0.1",
    port,
    user,
    database,
    password: PASSWORD,
    ssl: { mode: "disable" },
    connectTimeoutMs: 10_000,
  };
}

const open = (database: string, user?: string): Promise<Session> => connect(at(database, user), { applicationName: APPLICATION });

async function createDatabase(name: string, sql: string, rest = ""): Promise<void> {
  await superuser.run(`CREATE DATABASE ${quoteIdent(name)} TEMPLATE template0 ${rest}`);
  await using session = await open(name);
  await session.run(`SET search_path = public; ${sql}`);
}

beforeAll(async () => {
  cluster = await ownCluster("source", { password: PASSWORD });
  port = cluster.port;
  superuser = await open("postgres");
  await createDatabase("simple", "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE TABLE u (id int REFERENCES t)");
  mkdirSync(tmp);
  process.env["TMPDIR"] = tmp;
});

afterAll(async () => {
  if (savedTmpdir === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = savedTmpdir;
  await superuser?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

/** Process ids of children that were pointed at a gateway of this test. */
function children(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${tmp}/pgditto-gateway-`);
    } catch {
      return false;
    }
  });
}

const backends = (): Promise<Array<{ pid: number; state: string; wait_event_type: string | null }>> =>
  superuser.query("SELECT pid, state, wait_event_type FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()", [
    APPLICATION,
  ]);

async function until<T>(what: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (const end = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const value = await what();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > end) throw new Error("waited too long");
  }
}

afterEach(async () => {
  expect(readdirSync(tmp)).toEqual([]);
  expect(children()).toEqual([]);
  // a backend ends a moment after its connection
  await until(async () => (await backends()).length === 0);
});

async function program(kind: "native" | "wasm"): Promise<PgDumpProgram> {
  return findPgDump({
    choice: kind,
    platform: process.platform,
    pathEnv: process.env["PATH"],
    sourceVersion: superuser.serverVersion,
    targetVersion: undefined,
  });
}

interface DumpOptions {
  user?: string;
  args?: string[];
  signal?: AbortSignal;
}

async function dump(kind: "native" | "wasm", database: string, { user, args = ARGS, signal }: DumpOptions = {}): Promise<string> {
  return runPgDump({ program: await program(kind), connect: () => open(database, user), args, signal });
}

const failure = (promise: Promise<unknown>): Promise<PgdittoError> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error: PgdittoError) => error,
  );

/** What differs between two runs or two versions of pg_dump, and never matters. */
function essence(script: string): string {
  return script.replace(
    /^(?:\\(?:un)?restrict [A-Za-z0-9]{20,}|-- (?:Dumped by|Started on|Completed on) .*|SET transaction_timeout = 0;)\n/gm,
    "",
  );
}

const entries = (script: string): string[] => [...script.matchAll(/^-- Name: (.*)$/gm)].map((match) => match[1] ?? "");

/** Holds pg_dump up at its LOCK TABLE until disposed. */
async function holdUp(database: string): Promise<AsyncDisposable> {
  const session = await connect(at(database), { applicationName: "holder" });
  await session.run("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE");
  return session;
}

const waitingBackend = () => until(async () => (await backends()).find((one) => one.wait_event_type === "Lock"));

const kinds = hasNative ? (["native", "wasm"] as const) : (["wasm"] as const);

describe.each(kinds)("%s pg_dump", (kind) => {
  it("writes the verbose script, from a snapshot, for every odd name", { timeout: 60_000 }, async () => {
    const longName = `${"ü".repeat(31)}x`;
    const database = kind === "native" ? ODD_DATABASE : `${ODD_DATABASE}2`;
    const line = `${"x".repeat(78)}\n`;
    const body = (lines: number): string => quoteLiteral(`SELECT '${line.repeat(lines)}'::text`);
    await createDatabase(
      database,
      `CREATE TABLE "a""b c%d\\e" ("new
line" int, ${quoteIdent(longName)} text); COMMENT ON TABLE "a""b c%d\\e" IS 'it''s \\ %s';
      CREATE FUNCTION f40k() RETURNS text LANGUAGE sql AS ${body(520)};
      CREATE FUNCTION f5m() RETURNS text LANGUAGE sql AS ${body(66_000)};
      CREATE FUNCTION looks_like_psql() RETURNS text LANGUAGE sql AS $$ SELECT '
\\restrict abc
\\unrestrict abc
' $$;`,
    );
    await using holder = await connect(at(database), { applicationName: "holder" });
    await holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const [snapshot] = await holder.query<{ id: string }>("SELECT pg_export_snapshot() AS id");
    await using other = await connect(at(database), { applicationName: "holder" });
    await other.run("CREATE TABLE public.too_late ()");

    const script = await dump(kind, database, { args: [...ARGS, `--snapshot=${snapshot?.id ?? ""}`] });

    expect(script).toContain(`CREATE DATABASE ${quoteIdent(database)} WITH`);
    expect(script).toMatch(/^-- TOC entry \d+ \(class 1259 OID \d+\)$/m);
    expect(script).toContain('CREATE TABLE public."a""b c%d\\e" (\n    "new\nline" integer,');
    expect(script).toContain(quoteIdent(longName));
    expect(script).toContain(line.repeat(66_000));
    expect(script).toContain("\n\\restrict abc\n\\unrestrict abc\n");
    expect(script).not.toContain("too_late");
  });

  it("reads 3,000 tables", { timeout: 120_000 }, async () => {
    const database = `big_${kind}`;
    await createDatabase(database, "SELECT");
    await using session = await open(database);
    for (let batch = 0; batch < 30; batch += 1) {
      await session.run(
        `DO $$ BEGIN FOR i IN 1..100 LOOP EXECUTE format('CREATE TABLE public.t%s (id serial PRIMARY KEY, b int CHECK (b > 0))', ${batch} * 100 + i); END LOOP; END $$`,
      );
    }
    const script = await dump(kind, database);
    expect(entries(script).filter((entry) => entry.includes("; Type: TABLE;"))).toHaveLength(3000);
    expect(entries(script).filter((entry) => entry.includes("; Type: CONSTRAINT;"))).toHaveLength(3000);
  });

  it("names the table that may not be read, its SQLSTATE and the GRANT", async () => {
    const user = `reader_${kind}`;
    await superuser.run(`CREATE ROLE ${user} LOGIN PASSWORD ${quoteLiteral(PASSWORD)}`);
    const error = await failure(dump(kind, "simple", { user }));
    expect(error).toMatchObject({
      code: "dump",
      side: "source",
      sqlstate: "42501",
      object: expect.stringMatching(/^[tu]$/),
      hint: expect.stringMatching(/^GRANT SELECT ON "[tu]" TO "reader_\w+";/),
    });
    expect(error.message).toMatch(/pg_dump \d+\.\d+ failed: permission denied for table [tu]$/);
    expect(error.detail).toMatch(/LOCK TABLE/);
    expect(`${error.message}${error.detail}${error.hint}`).not.toContain(PASSWORD);
  });

  it("tells that a snapshot is gone", async () => {
    const error = await failure(dump(kind, "simple", { args: [...ARGS, "--snapshot=00000003-0000001B-1"] }));
    expect(error).toMatchObject({ code: "dump", hint: expect.stringContaining("exported the snapshot has ended") });
    expect(error.message).toContain("snapshot");
  });

  it("passes pg_dump's own complaint on", async () => {
    const error = await failure(dump(kind, "simple", { args: [...ARGS, "--table=nowhere", "--strict-names"] }));
    expect(error).toMatchObject({ code: "dump", sqlstate: undefined });
    expect(error.message).toMatch(/no matching tables were found/);
  });

  it("passes on why there is no session", async () => {
    expect(await failure(dump(kind, "dropped"))).toMatchObject({ code: "source-connect", sqlstate: "3D000" });
  });

  it("refuses a database whose name holds a line break", async () => {
    await superuser.run(`CREATE DATABASE "line\nbreak"`);
    expect(await failure(dump(kind, "line\nbreak"))).toMatchObject({ code: "dump", hint: expect.stringContaining("RENAME") });
    await superuser.run(`DROP DATABASE "line\nbreak"`);
  });

  it("tells bytes that no encoding explains", async () => {
    const database = `ascii_${kind}`;
    await createDatabase(database, "SELECT", "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
    await using session = await open(database);
    await session.run(
      `SET client_encoding = SQL_ASCII; DO $$ BEGIN EXECUTE 'COMMENT ON SCHEMA public IS ''' || convert_from('\\xe9'::bytea, 'SQL_ASCII') || ''''; END $$`,
    );
    const error = await failure(dump(kind, database));
    expect(error).toMatchObject({ code: "dump", sqlstate: "22021", hint: expect.stringContaining("SQL_ASCII") });
  });

  it("ends within 3 s of an abort, on both sides", async () => {
    await using _lock = await holdUp("simple");
    const controller = new AbortController();
    const running = failure(dump(kind, "simple", { signal: controller.signal }));
    await waitingBackend();
    const start = Date.now();
    controller.abort();
    expect(await running).toMatchObject({ code: "cancelled" });
    expect(Date.now() - start).toBeLessThan(3000);
    await until(async () => (await backends()).length === 0);
  });

  it("does nothing when aborted before", async () => {
    expect(await failure(dump(kind, "simple", { signal: AbortSignal.abort() }))).toMatchObject({ code: "cancelled" });
  });

  it("ends with the server's reason when its backend is ended", async () => {
    await using _lock = await holdUp("simple");
    const running = failure(dump(kind, "simple"));
    const { pid } = await waitingBackend();
    await superuser.query("SELECT pg_terminate_backend($1)", [pid]);
    expect(await running).toMatchObject({
      code: "dump",
      sqlstate: "57P01",
      message: expect.stringContaining("terminating connection due to administrator command"),
    });
  });

  it("ends when the connection is cut without a word", async () => {
    await using _lock = await holdUp("simple");
    let session: Session | undefined;
    const connectAndKeep = async (): Promise<Session> => (session = await open("simple"));
    const running = failure(runPgDump({ program: await program(kind), connect: connectAndKeep, args: ARGS }));
    const { pid } = await waitingBackend();
    session?.takeSocket().destroy();
    expect(await running).toMatchObject({
      code: "dump",
      sqlstate: "ECONNRESET",
      message: expect.stringContaining("the server closed the connection"),
    });
    await superuser.query("SELECT pg_terminate_backend($1)", [pid]); // it waits for the lock and has not noticed
  });

  it("ends when the session is gone before it begins", async () => {
    const connectAndLose = async (): Promise<Session> => {
      const session = await open("simple");
      session.takeSocket().destroy();
      return session;
    };
    const error = await failure(runPgDump({ program: await program(kind), connect: connectAndLose, args: ARGS }));
    expect(error).toMatchObject({ code: "dump", sqlstate: "ECONNRESET" });
  });

  it("ends when a table stays locked", async () => {
    await using _lock = await holdUp("simple");
    const error = await failure(dump(kind, "simple", { args: [...ARGS, "--lock-wait-timeout=200"] }));
    expect(error).toMatchObject({ code: "dump", hint: expect.stringContaining("locked") });
  });

  it("does many at a time", async () => {
    const scripts = await Promise.all(Array.from({ length: 4 }, () => dump(kind, "simple")));
    expect(new Set(scripts.map(essence)).size).toBe(1);
  });
});

describe.skipIf(!hasNative)("native pg_dump", () => {
  it("writes what it writes when it connects by itself, and what the built-in one writes", async () => {
    const { path: file } = await program("native");
    await createDatabase(
      "sample",
      `CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('a', 'b'); CREATE DOMAIN s.positive AS int CHECK (VALUE > 0);
       CREATE TABLE s.p (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT '2020-01-01 00:00+02', m s.mood, n s.positive) PARTITION BY RANGE (id);
       CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES FROM (1) TO (10); CREATE TABLE s.p2 PARTITION OF s.p DEFAULT;
       CREATE INDEX ON s.p (at); CREATE VIEW s.v AS SELECT * FROM s.p; CREATE MATERIALIZED VIEW s.mv AS SELECT count(*) FROM s.v;
       CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
       CREATE TRIGGER tr BEFORE INSERT ON s.p FOR EACH ROW EXECUTE FUNCTION s.f();
       ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC; ALTER DATABASE sample SET work_mem = '8MB'; SELECT lo_create(4711);`,
    );
    const { stdout: direct } = await promisify(execFile)(
      file ?? "",
      [...ARGS, "-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-d", "sample"],
      {
        env: { PGPASSWORD: PASSWORD, LC_ALL: "C" },
      },
    );
    const native = await dump("native", "sample");
    expect(essence(native)).toBe(essence(direct));
    // From 17 on pg_dump counts the making of large objects as data, which is not asked for here.
    const withoutBlobs = entries(native).filter((entry) => !entry.includes("; Type: BLOB;"));
    expect(entries(await dump("wasm", "sample")).toSorted()).toEqual(withoutBlobs.toSorted());
  });

  it("has no secret in its arguments or environment, and nothing of ours", async () => {
    process.env["PGPASSWORD"] = PASSWORD;
    process.env["MAIN_DB_URL"] = `postgres://u:${PASSWORD}@h/d`;
    const lock = await holdUp("simple");
    const running = dump("native", "simple");
    await waitingBackend();
    const [pid, ...others] = children();
    const environment = readFileSync(`/proc/${pid ?? ""}/environ`, "utf8");
    const commandLine = readFileSync(`/proc/${pid ?? ""}/cmdline`, "utf8");
    const folders = readdirSync(tmp);
    await lock[Symbol.asyncDispose]();
    delete process.env["PGPASSWORD"];
    delete process.env["MAIN_DB_URL"];
    await running;

    expect(others).toEqual([]);
    expect(folders).toEqual([]); // the socket's folder goes as soon as pg_dump is connected
    expect(`${environment} ${commandLine}`).not.toContain("geheim");
    const names = new Set(environment.split("\0").map((entry) => entry.split("=")[0]));
    expect(names).toEqual(new Set(["LANG", "LC_ALL", "PATH", "PGGSSENCMODE", "PGPASSFILE", "PGSSLMODE", ""]));
  });

  it("that is over before its session is open leaves none behind", async () => {
    const { path: file = "", ...native } = await program("native");
    const stop = new AbortController();
    let late: Promise<Session> | undefined;
    const running: Promise<void> = runClient({
      program: { ...native, path: file },
      args: ["--schema-only"],
      jobs: 1,
      config: at("simple"),
      connect: () =>
        (late ??= (async () => {
          stop.abort();
          await failure(running);
          return open("simple");
        })()),
      signal: stop.signal,
      onBytes: () => undefined,
    });
    expect(await failure(running)).toMatchObject({ code: "cancelled" });
    const session = await late;
    await until(() => session?.alive === false);
  });

  it("finds a place for its socket when the temporary folder has a long name", async () => {
    process.env["TMPDIR"] = path.join(tmp, "x".repeat(90));
    try {
      expect(await dump("native", "simple")).toContain("CREATE TABLE public.t");
    } finally {
      process.env["TMPDIR"] = tmp;
    }
  });
});

describe("a pg_dump that is none", () => {
  async function run(source: string, patienceMs?: number): Promise<PgdittoError> {
    const file = path.join(root, "pg_dump");
    writeFileSync(file, `#!${process.execPath}\n${source}`, { mode: 0o755 });
    const fake: PgDumpProgram = { kind: "native", path: file, version: 150_018, versionText: "15.18" };
    return failure(runPgDump({ program: fake, connect: () => open("simple"), args: ["--fake"], patienceMs }));
  }

  /** Connects as libpq would and asks for 50 MB. */
  const ASK = `
    const folder = /host='([^']*)'/.exec(process.argv.at(-1))[1];
    const socket = require("net").connect(folder + "/.s.PGSQL.5432");
    const body = Buffer.from("user\\0x\\0\\0");
    const start = Buffer.alloc(8); start.writeInt32BE(8 + body.length); start.writeInt32BE(196608, 4);
    const sql = Buffer.from("SELECT repeat('x', 50000000)\\0");
    const query = Buffer.alloc(5); query.write("Q"); query.writeInt32BE(4 + sql.length, 1);
    socket.write(Buffer.concat([start, body, query, sql]));`;

  it("is stopped when it never comes", async () => {
    expect(await run("setInterval(() => {}, 1000)", 500)).toMatchObject({
      code: "dump",
      message: expect.stringContaining("did nothing any more"),
    });
  });

  it("is stopped when it does not read what it asked for, even if it ignores SIGTERM", async () => {
    const start = Date.now();
    expect(await run(`process.on("SIGTERM", () => {}); ${ASK} socket.pause(); setInterval(() => {}, 1000)`, 1000)).toMatchObject({
      message: expect.stringContaining("did nothing any more"),
    });
    expect(Date.now() - start).toBeLessThan(8000);
  });

  it("gets everything when it reads slowly", async () => {
    const error = await run(
      `${ASK} let n = 0; socket.on("data", (b) => { n += b.length; socket.pause(); setTimeout(() => socket.resume(), 1); if (n > 50000000) { console.error("pg_dump: error: read " + n); process.exit(3) } })`,
    );
    expect(error.message).toMatch(/failed: read 5000\d{4}/);
  });

  it("is believed only when its script is complete and in UTF-8", async () => {
    expect(await run("")).toMatchObject({ code: "dump", message: expect.stringContaining("not complete") });
    expect(await run("process.stdout.write(Buffer.of(0x61, 0xff))")).toMatchObject({
      code: "dump",
      message: expect.stringContaining("not valid in its encoding"),
    });
  });

  it("is told when it cannot be run", async () => {
    const fake: PgDumpProgram = { kind: "native", path: path.join(root, "absent"), version: 150_018, versionText: "15.18" };
    expect(await failure(runPgDump({ program: fake, connect: () => open("simple"), args: [] }))).toMatchObject({
      code: "dump",
      message: expect.stringContaining("Cannot run"),
    });
  });

  it("is not found where PGDITTO_PG_BIN names none", async () => {
    const options = { choice: "auto", platform: process.platform, pathEnv: undefined, sourceVersion: 150_018 } as const;
    expect(await failure(findPgDump({ ...options, pgBin: path.join(root, "nothing") }))).toMatchObject({
      code: "dump",
      object: "PGDITTO_PG_BIN",
    });
    expect(await findPgDump({ ...options, pgBin: "", platform: "win32" })).toMatchObject({ kind: "wasm" });
  });
});
