import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import type { CliFlags } from "./pgditto-options.ts";
import { resolveConfig, type ResolvedConfig } from "./resolve.ts";

type Env = Record<string, string>;

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pgditto-resolve-"));
});
afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

async function resolve(flags: CliFlags = {}, env: Env = {}): Promise<ResolvedConfig> {
  return await resolveConfig({ flags, env: { PGSYSCONFDIR: join(cwd, "etc"), ...env }, cwd, home: cwd, platform: "linux" });
}

async function errorOf(flags: CliFlags, env: Env = {}): Promise<PgdittoError> {
  const error: unknown = await resolve(flags, env).catch((reason: unknown) => reason);
  if (error instanceof PgdittoError) return error;
  throw new Error("it was accepted", { cause: error });
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(cwd, name), text);
}

describe("defaults", () => {
  test("are the original's", async () => {
    const config = await resolve();
    const end = {
      host: "localhost",
      port: 5432,
      user: "postgres",
      password: "0206",
      ssl: { mode: "prefer" },
      connectTimeoutMs: 10_000,
      options: undefined,
    };
    expect(config).toEqual({
      source: { side: "source", database: "Main_DB", ...end },
      target: { side: "target", database: "Archive_DB", ...end },
      jobs: 4,
      batchSize: 1,
      retryCount: 3,
      stallTimeout: 300,
      via: "stream",
      dumpDir: undefined,
      dumpFormat: "directory",
      keepDumps: false,
      tables: [],
      excludeTables: [],
      schemas: [],
      excludeSchemas: [],
      resume: false,
      keepStaging: false,
      mode: "staging",
      atomic: false,
      dropIndexes: false,
      strategy: "copy",
      keepPrevious: false,
      yes: false,
      noOwner: false,
      noAcl: false,
      noTablespaces: false,
      skipExtensions: [],
      maxTargetSize: undefined,
      rateLimit: undefined,
      maxReplicationLag: undefined,
      maxSourceConnections: undefined,
      sql: { files: [], variables: new Map(), hooks: {} },
      kinds: ["foreign-key", "check", "unique", "exclusion", "not-null"],
      save: undefined,
      dryRun: false,
      pgDump: "auto",
      pgBin: undefined,
      warnings: [
        expect.objectContaining({
          code: "default-password",
          side: "source",
          message: expect.stringContaining("source") as string,
          hint: expect.stringContaining("MAIN_DB_PASSWORD") as string,
        }),
        expect.objectContaining({
          code: "default-password",
          side: "target",
          message: expect.stringContaining("target") as string,
          hint: expect.stringContaining("ARCHIVE_DB_PASSWORD") as string,
        }),
      ],
    });
    expect(JSON.stringify(config.warnings)).not.toContain("0206");
  });

  test("every variable of the original is read", async () => {
    const config = await resolve(
      {},
      {
        MAIN_DB_HOST: "h1",
        MAIN_DB_PORT: "1111",
        MAIN_DB_USER: "u1",
        MAIN_DB_PASSWORD: "p1",
        MAIN_DB_NAME: "d1",
        ARCHIVE_DB_HOST: "h2",
        ARCHIVE_DB_PORT: "2222",
        ARCHIVE_DB_USER: "u2",
        ARCHIVE_DB_PASSWORD: "p2",
        ARCHIVE_DB_NAME: "d2",
        RETRY_COUNT: "5",
        PG_JOBS: "8",
        BATCH_SIZE: "2",
        DUMP_DIR: "dumps",
        CORE_TABLES: 'orders, "Order Items"',
        PGDITTO_PG_BIN: "/opt/pg/bin",
      },
    );
    expect(config).toMatchObject({
      source: { host: "h1", port: 1111, user: "u1", password: "p1", database: "d1" },
      target: { host: "h2", port: 2222, user: "u2", password: "p2", database: "d2" },
      retryCount: 5,
      jobs: 8,
      batchSize: 2,
      dumpDir: join(cwd, "dumps"),
      tables: ["orders", '"Order Items"'],
      pgBin: "/opt/pg/bin",
      warnings: [],
    });
  });
});

describe("precedence: flag > environment > file > default", () => {
  test.each<[CliFlags, Env, string, number]>([
    [{ jobs: 1 }, { PG_JOBS: "2" }, '{ "jobs": 3 }', 1],
    [{}, { PG_JOBS: "2" }, '{ "jobs": 3 }', 2],
    [{ jobs: undefined }, { PG_JOBS: "" }, '{ "jobs": 3 }', 3],
    [{}, {}, "{}", 4],
  ])("%j %j %s", async (flags, env, file, jobs) => {
    await write("pgditto.config.json", file);
    expect((await resolve(flags, env)).jobs).toBe(jobs);
  });

  test("false on the command line overrules true in the file, and a list replaces a list", async () => {
    await write("pgditto.config.json", '{ "yes": true, "keepPrevious": true, "tables": ["a", "b"], "pgDump": "wasm" }');
    expect(await resolve({ yes: false, tables: ["c"] })).toMatchObject({
      yes: false,
      keepPrevious: true,
      tables: ["c"],
      pgDump: "wasm",
    });
    expect(await resolve({ tables: [] }, { CORE_TABLES: "x" })).toMatchObject({ tables: [] });
    expect(await resolve({}, { CORE_TABLES: "x" })).toMatchObject({ tables: ["x"] });
  });

  test("--config names another file", async () => {
    await write("pgditto.config.json", '{ "jobs": 3 }');
    await write("other.mjs", "export default { jobs: 5 };");
    expect((await resolve({ config: "other.mjs" })).jobs).toBe(5);
  });

  test.each<[CliFlags, Env, number]>([
    [{ connectTimeout: 1, source: "postgresql:///?connect_timeout=2" }, { PGCONNECT_TIMEOUT: "3" }, 1000],
    [{ source: "postgresql:///?connect_timeout=2" }, { PGCONNECT_TIMEOUT: "3" }, 2000],
    [{ source: { connect_timeout: 2 } }, {}, 2000],
    [{}, { PGCONNECT_TIMEOUT: "3" }, 3000],
    [{}, {}, 4000],
  ])("connect timeout of %j %j", async (flags, env, ms) => {
    await write("pgditto.config.json", '{ "connectTimeout": 4 }');
    expect((await resolve(flags, env)).source.connectTimeoutMs).toBe(ms);
  });
});

describe("bad input", () => {
  test.each<[CliFlags, Env, string]>([
    [{}, { PG_JOBS: "abc" }, 'PG_JOBS: "abc" is not a whole number.'],
    [{}, { PG_JOBS: "0" }, "PG_JOBS: 0 is less than 1."],
    [{}, { PG_JOBS: "-1" }, "PG_JOBS: -1 is less than 1."],
    [{}, { BATCH_SIZE: "1.5" }, 'BATCH_SIZE: "1.5" is not a whole number.'],
    [{}, { RETRY_COUNT: "0" }, "RETRY_COUNT: 0 is less than 1."],
    [{}, { CORE_TABLES: ", ," }, "CORE_TABLES: there is no name in it."],
    [{}, { PGCONNECT_TIMEOUT: "0" }, "PGCONNECT_TIMEOUT: 0 is less than 1."],
    [{}, { PGSSLMODE: "on" }, 'PGSSLMODE: "on" is not an sslmode.'],
    [{}, { PGSSLNEGOTIATION: "x" }, 'PGSSLNEGOTIATION: "x" is not an sslnegotiation.'],
    [{}, { MAIN_DB_PORT: "abc" }, 'MAIN_DB_PORT: "abc" is not a port number.'],
    [{}, { MAIN_DB_PORT: "0" }, 'MAIN_DB_PORT: "0" is not a port number.'],
    [{}, { ARCHIVE_DB_PORT: "65536" }, 'ARCHIVE_DB_PORT: "65536" is not a port number.'],
    [{}, { MAIN_DB_HOST: "a,b" }, "MAIN_DB_HOST: several hosts are given; pgditto supports one."],
    [{}, { MAIN_DB_HOST: "postgresql://u:hunter2@h/db" }, "MAIN_DB_HOST: this is not a host name."],
    [{}, { MAIN_DB_HOST: "h/db" }, "MAIN_DB_HOST: this is not a host name."],
    [{}, { MAIN_DB_URL: "u:hunter2@h" }, "MAIN_DB_URL: this is neither a postgresql:// URL nor key=value pairs."],
    [{ source: "postgresql://h:99999" }, {}, "--source, port: the value is not a port number."],
    [{ source: "postgresql:///?sslmode=hunter2" }, {}, "--source, sslmode: the value is not an sslmode."],
    [{ target: "postgresql:///?connect_timeout=soon" }, {}, "--target, connect_timeout: the value is not a whole number."],
    [{ source: "postgresql:///?host=a&host=b,c" }, {}, "--source, host: several hosts are given; pgditto supports one."],
    [{ source: "" }, {}, "--source: the connection string is empty."],
    [{ source: { port: 0 } }, {}, 'source.port: "0" is not a port number.'],
    [{ jobs: 0 }, {}, "jobs: 0 is less than 1."],
    [{ json: "yes" } as unknown as CliFlags, {}, "json: the value is a string, not true or false."],
    [{ jbos: 4 } as unknown as CliFlags, {}, "jbos: there is no such option."],
    [{ source: { hots: "x" } } as unknown as CliFlags, {}, "source.hots: hots is not a part of a connection."],
    [{ source: { dbname: "x" } } as unknown as CliFlags, {}, "source.dbname: dbname is not a part of a connection."],
    [{ source: { password: 1234 } } as unknown as CliFlags, {}, "source.password: the value is a number, not a string."],
    [{ source: { port: "5432" } } as unknown as CliFlags, {}, "source.port: the value is a string, not a whole number."],
    [{ source: { user: null } } as unknown as CliFlags, {}, "source.user: the value is null, not a string."],
  ])("%j %j", async (flags, env, message) => {
    const error = await errorOf(flags, env);
    expect(error).toMatchObject({ code: "usage", message, exitCode: 2 });
    expect(error.hint).toBeTruthy();
    expect(`${error.message} ${error.hint ?? ""} ${error.detail ?? ""}`).not.toMatch(/hunter2|1234/);
  });

  test.each([
    ['{\n  "jobs": "4"\n}', '2:3: jobs: "4" is not a whole number.'],
    ['{\n  "tables": "orders"\n}', "2:3: tables: the value is a string, not a list."],
    ['{\n  "mode": "stagin"\n}', '2:3: mode: "stagin" is not one of staging, recreate, truncate.'],
    ['{\n  "source": "postgresql://u:hunter2@h:x/db"\n}', "2:3: source: what follows the host's colon is not a port number."],
    ['{\n  "source": {\n    "pasword": "hunter2" }\n}', "3:5: source.pasword: pasword is not a part of a connection."],
    ['{\n  "source": {\n    "password": ["hunter2"] }\n}', "3:5: source.password: the value is a list, not a string."],
    ['{\n  "source": {\n    "sslmode": "on" }\n}', '3:5: source.sslmode: "on" is not an sslmode.'],
    ['{\n  "target": 5\n}', "2:3: target: the value is a number, not a connection."],
  ])("config file %j", async (text, message) => {
    await write("pgditto.config.json", text);
    const error = await errorOf({});
    expect(error).toMatchObject({ code: "config", message: `pgditto.config.json:${message}` });
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain("hunter2");
  });
});
