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

const PASSWORDS = { MAIN_DB_PASSWORD: "m", ARCHIVE_DB_PASSWORD: "a" };

describe("the parts of an end", () => {
  const variables = { MAIN_DB_HOST: "vh", MAIN_DB_PORT: "1", MAIN_DB_USER: "vu", MAIN_DB_PASSWORD: "vp", MAIN_DB_NAME: "vd" };

  test("a flag's URL wins, variables fill what it lacks, MAIN_DB_URL is passed over", async () => {
    const { source } = await resolve({ source: "postgresql://fh/fd" }, { ...variables, MAIN_DB_URL: "postgresql://uu:up@uh:9/ud" });
    expect(source).toMatchObject({ host: "fh", port: 1, user: "vu", password: "vp", database: "fd" });
  });

  test("MAIN_DB_URL wins over the variables", async () => {
    const { source } = await resolve({}, { ...variables, MAIN_DB_URL: "postgresql://uu:up@uh:9/ud" });
    expect(source).toMatchObject({ host: "uh", port: 9, user: "uu", password: "up", database: "ud" });
  });

  test("variables win over the file's entry, which a URL replaces as a whole", async () => {
    await write(
      "pgditto.config.json",
      '{ "source": { "host": "ch", "user": "cu", "password": "cp", "database": "cd", "port": 7, "sslmode": "require" } }',
    );
    expect((await resolve({}, { MAIN_DB_HOST: "vh" })).source).toMatchObject({
      host: "vh",
      port: 7,
      user: "cu",
      password: "cp",
      ssl: { mode: "require" },
    });
    expect((await resolve({ source: "postgresql://fh" })).source).toMatchObject({
      host: "fh",
      port: 5432,
      user: "postgres",
      password: "0206",
      ssl: { mode: "prefer" },
    });
  });

  test("an object of the library", async () => {
    const { target } = await resolve({
      target: { host: "::1", port: 6, user: "u", password: "p", database: "d", options: "-c a=b", sslmode: "disable" },
    });
    expect(target).toEqual({
      side: "target",
      host: "::1",
      port: 6,
      user: "u",
      password: "p",
      database: "d",
      ssl: { mode: "disable" },
      connectTimeoutMs: 10_000,
      options: "-c a=b",
    });
  });

  test("a socket directory and an address in brackets", async () => {
    const { source, target } = await resolve({}, { MAIN_DB_HOST: "/var/run/postgresql", PGSSLMODE: "require", ARCHIVE_DB_HOST: "[::1]" });
    expect([source.host, source.ssl.mode, target.host, target.ssl.mode]).toEqual(["/var/run/postgresql", "disable", "::1", "require"]);
  });

  test("libpq's variables hold for both ends, but never say where they are", async () => {
    const { source, target } = await resolve(
      {},
      { PGSSLMODE: "require", PGOPTIONS: "-c x=1", PGHOST: "no", PGPORT: "1", PGUSER: "no", PGDATABASE: "no", PGHOSTADDR: "no" },
    );
    for (const end of [source, target])
      expect(end).toMatchObject({ host: "localhost", port: 5432, user: "postgres", options: "-c x=1", ssl: { mode: "require" } });
    expect([source.database, target.database]).toEqual(["Main_DB", "Archive_DB"]);
    expect((await resolve({ source: "postgresql:///?sslmode=disable" }, { PGSSLMODE: "require" })).source.ssl.mode).toBe("disable");
  });

  test("a parameter that has no effect is a warning", async () => {
    const { warnings } = await resolve({ source: "postgresql:///?channel_binding=require" }, PASSWORDS);
    expect(warnings).toMatchObject([{ code: "parameter-not-enforced", side: "source" }]);
  });
});

describe("services", () => {
  beforeEach(async () => {
    await write(
      ".pg_service.conf",
      "[main]\nhost=sh\nport=1234\ndbname=sd\nuser=su\npassword=sp\nsslmode=require\n[copy]\nhost=ch\ndbname=cd\n",
    );
  });

  test("of a URL fills what URL and variables lack", async () => {
    const { source, target } = await resolve(
      { source: "postgresql://?service=main&user=me", target: "service=copy" },
      { MAIN_DB_PORT: "9" },
    );
    expect(source).toMatchObject({ host: "sh", port: 9, database: "sd", user: "me", password: "sp", ssl: { mode: "require" } });
    expect(target).toMatchObject({ host: "ch", port: 5432, database: "cd" });
  });

  test("PGSERVICE places the source, never the target, and says so", async () => {
    const { source, target, warnings } = await resolve({}, { PGSERVICE: "main" });
    expect(source).toMatchObject({ host: "sh", port: 1234, database: "sd", user: "su", password: "sp" });
    expect(target).toMatchObject({
      host: "localhost",
      port: 5432,
      database: "Archive_DB",
      user: "su",
      password: "sp",
      ssl: { mode: "require" },
    });
    expect(warnings).toMatchObject([{ code: "service-not-for-target", side: "target" }]);
    expect((await resolve({}, { PGSERVICE: "main", ARCHIVE_DB_HOST: "ah" })).warnings).toEqual([]);
  });

  test("a service stands above libpq's variables", async () => {
    expect((await resolve({ source: "service=main" }, { PGSSLMODE: "disable", PGPASSWORD: "x" })).source).toMatchObject({
      password: "sp",
      ssl: { mode: "require" },
    });
  });

  test("a service of one's own replaces PGSERVICE", async () => {
    expect((await resolve({ source: "service=copy" }, { PGSERVICE: "main", ARCHIVE_DB_HOST: "ah" })).source).toMatchObject({
      host: "ch",
      user: "postgres",
    });
  });

  test.each<[CliFlags, Env, string]>([
    [{}, { PGSERVICE: "gone" }, 'PGSERVICE: there is no service "gone" in '],
    [{ target: "postgresql:///?service=gone" }, {}, '--target, service: there is no service "gone" in '],
  ])("%j %j: missing", async (flags, env, message) => {
    expect((await errorOf(flags, env)).message).toContain(message);
  });

  test("a wrong value in it is an error of the file", async () => {
    await write(".pg_service.conf", "[main]\nport=54x\n");
    expect(await errorOf({}, { PGSERVICE: "main" })).toMatchObject({
      code: "config",
      message: `${join(cwd, ".pg_service.conf")}:2: port: "54x" is not a port number.`,
    });
  });
});
