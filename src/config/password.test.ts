import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { CliFlags } from "./pgditto-options.ts";
import { resolveConfig, type ResolvedConfig } from "./resolve.ts";

type Env = Record<string, string>;

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pgditto-password-"));
});
afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

async function resolve(flags: CliFlags = {}, env: Env = {}): Promise<ResolvedConfig> {
  return await resolveConfig({ flags, env: { PGSYSCONFDIR: join(cwd, "etc"), ...env }, cwd, home: cwd, platform: "linux" });
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(cwd, name), text);
  await chmod(join(cwd, name), 0o600);
}

describe("passwords", () => {
  const line = "localhost:5432:Main_DB:postgres:filed\n";
  const service = "[main]\npassword=service\nuser=postgres\n";
  const all: Env = { MAIN_DB_PASSWORD: "variable", PGSERVICE: "main", PGPASSWORD: "pgpassword" };

  test("URL, variable, password file, service, PGPASSWORD, default: in this order", async () => {
    await write(".pgpass", line);
    await write(".pg_service.conf", service);
    const of = async (flags: CliFlags, env: Env): Promise<string | undefined> => (await resolve(flags, env)).source.password;
    expect(await of({ source: "postgresql://:url@" }, all)).toBe("url");
    expect(await of({}, all)).toBe("variable");
    expect(await of({}, { ...all, MAIN_DB_PASSWORD: "" })).toBe("filed");
    await rm(join(cwd, ".pgpass"));
    expect(await of({}, { ...all, MAIN_DB_PASSWORD: "" })).toBe("service");
    expect(await of({}, { PGPASSWORD: "pgpassword" })).toBe("pgpassword");
    expect(await of({}, { PGPASSWORD: "" })).toBe("0206");
  });

  test("the file is asked for the end as resolved; PGPASSFILE and passfile name another one", async () => {
    await write("pw", "h:7:d:u:right\n*:*:*:*:other\n");
    await write("pw2", "*:*:*:*:second\n");
    const { source, target, warnings } = await resolve(
      { source: "postgresql://u@h:7/d", target: "postgresql:///?passfile=pw2" },
      { PGPASSFILE: join(cwd, "pw") },
    );
    expect([source.password, target.password, warnings]).toEqual(["right", "second", []]);
  });

  test("a file that libpq would ignore is warned of once, for both ends", async () => {
    await write(".pgpass", line);
    await chmod(join(cwd, ".pgpass"), 0o644);
    const { source, warnings } = await resolve({}, { PGPASSWORD: "x" });
    expect(source.password).toBe("x");
    expect(warnings).toMatchObject([{ code: "pgpass-permissions", side: undefined }]);
  });

  test("on Windows the file is %APPDATA%\\postgresql\\pgpass.conf, whatever its mode", async () => {
    await mkdir(join(cwd, "postgresql"));
    await writeFile(join(cwd, "postgresql", "pgpass.conf"), "*:*:*:*:windows\n", { mode: 0o644 });
    const config = await resolveConfig({ flags: {}, env: { APPDATA: cwd }, cwd, home: "/nowhere", platform: "win32" });
    expect([config.source.password, config.warnings]).toEqual(["windows", []]);
  });
});
