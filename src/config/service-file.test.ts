import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import { findService, parseService } from "./service-file.ts";
import type { Surroundings } from "./surroundings.ts";

function values(text: string, service = "main"): Record<string, string> | undefined {
  const found = parseService(text, service, "/f");
  return found && Object.fromEntries([...found].map(([name, given]) => [name, given.value]));
}

describe("the file (manual 34.17)", () => {
  test.each<[string, Record<string, string> | undefined]>([
    ["[main]\nhost=db1\nport=5433\n", { host: "db1", port: "5433" }],
    ["# comment\n\n[other]\nhost=x\n[main]\r\n  host=db1  \r\n#port=1\n", { host: "db1" }],
    ["[main]\nhost=db1\n[other]\nuser=u\n[main]\nuser=v\n", { host: "db1" }],
    ["[main]\nhost=first\nhost=second\n", { host: "first" }],
    ["[main]\npassword=a=b c#d'e\napplication_name=x\n", { password: "a=b c#d'e" }],
    ["[main]\n", {}],
    ["[other]\nnonsense\n", undefined],
    ["host=before\n", undefined],
    ["[mainly]\nhost=x\n", undefined],
    ["", undefined],
  ])("%j", (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  test.each([
    ["[main]\nhost=a\nhunter2\n", '/f:3: this line has no "=".'],
    ["[main]\nhost = a\n", '/f:2: there is a space before "=".'],
    ["[main]\nfoo=hunter2\n", "/f:2: foo is not a connection parameter of libpq."],
    ["[main]\nservice=other\n", "/f:2: a service may not refer to another service."],
    ["[main]\nldap://h/x\n", "/f:2: services from LDAP are not supported."],
    ["[main]\nhostaddr=1.2.3.4\n", "/f:2: hostaddr: pgditto does not support this parameter."],
  ])("%j is refused", (text, message) => {
    expect(() => values(text)).toThrow(expect.objectContaining({ code: "config", message }));
  });
});

describe("where it is looked for", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgditto-service-"));
    await mkdir(join(folder, "etc"));
    await writeFile(join(folder, ".pg_service.conf"), "[main]\nhost=own\n");
    await writeFile(join(folder, "etc", "pg_service.conf"), "[main]\nhost=system\n[global]\nhost=global\n");
    await writeFile(join(folder, "named.conf"), "[main]\nhost=named\n");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function hostOf(service: string, env: Surroundings["env"], platform: NodeJS.Platform = "linux"): Promise<string | undefined> {
    const found = await findService(service, { code: "usage", name: "PGSERVICE" }, { env, cwd: folder, home: folder, platform });
    return found.get("host")?.value;
  }

  test("home, PGSERVICEFILE instead of it, PGSYSCONFDIR behind both", async () => {
    const PGSYSCONFDIR = join(folder, "etc");
    expect(await hostOf("main", { PGSYSCONFDIR })).toBe("own");
    expect(await hostOf("main", { PGSYSCONFDIR, PGSERVICEFILE: "named.conf" })).toBe("named");
    expect(await hostOf("main", { PGSYSCONFDIR, PGSERVICEFILE: "" })).toBe("own");
    expect(await hostOf("global", { PGSYSCONFDIR })).toBe("global");
    expect(await hostOf("main", { PGSYSCONFDIR, PGSERVICEFILE: "gone.conf" })).toBe("system");
  });

  test("on Windows in %APPDATA%\\postgresql", async () => {
    await mkdir(join(folder, "AppData", "postgresql"), { recursive: true });
    await writeFile(join(folder, "AppData", "postgresql", ".pg_service.conf"), "[main]\nhost=windows\n");
    expect(await hostOf("main", { APPDATA: join(folder, "AppData") }, "win32")).toBe("windows");
  });

  test("a missing service is an error that names it and the files", async () => {
    const error: unknown = await hostOf("gone", { PGSYSCONFDIR: join(folder, "etc") }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PgdittoError);
    expect(error).toMatchObject({
      code: "usage",
      message: `PGSERVICE: there is no service "gone" in ${join(folder, ".pg_service.conf")} or ${join(folder, "etc", "pg_service.conf")}.`,
    });
  });

  test("what does not look like a name is not shown", async () => {
    await expect(hostOf("x;password=hunter2", {})).rejects.toThrow(/^PGSERVICE: there is no service of this name in /);
  });
});
