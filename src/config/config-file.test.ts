import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import { type ConfigFile, loadConfigFile } from "./config-file.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pgditto-config-"));
});
afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

async function load(named?: string): Promise<ConfigFile | undefined> {
  return await loadConfigFile(named, { env: {}, cwd, home: cwd, platform: "linux" });
}

async function errorOf(named?: string): Promise<PgdittoError> {
  const error: unknown = await load(named).catch((reason: unknown) => reason);
  if (error instanceof PgdittoError) return error;
  throw new Error("it was accepted", { cause: error });
}

async function write(text: string, name = "pgditto.config.json"): Promise<void> {
  await writeFile(join(cwd, name), text);
}

describe("which file", () => {
  test("none is no error", async () => {
    expect(await load()).toBeUndefined();
  });

  test("the one in the current folder, or the one that is named", async () => {
    await write('{ "jobs": 1 }');
    await mkdir(join(cwd, "sub"));
    await write('{ "jobs": 2 }', "sub/other.json");
    expect((await load())?.values.get("jobs")).toBe(1);
    expect((await load("sub/other.json"))?.values.get("jobs")).toBe(2);
    expect((await load(join(cwd, "sub", "other.json")))?.values.get("jobs")).toBe(2);
  });

  test("two of them is an error", async () => {
    await write("{}");
    await write("export default {};", "pgditto.config.mjs");
    expect((await errorOf()).message).toContain("There are two config files, pgditto.config.json and pgditto.config.mjs");
  });

  test.each([
    ["gone.json", /The config file .*gone\.json does not exist/],
    ["gone.mjs", /The config file .*gone\.mjs does not exist/],
    ["config.yaml", /--config: config\.yaml is neither a \.json nor an \.mjs file/],
  ])("a named %s is a usage error", async (name, message) => {
    const error = await errorOf(name);
    expect(error.code).toBe("usage");
    expect(error.message).toMatch(message);
  });

  test("a folder of that name cannot be read", async () => {
    await mkdir(join(cwd, "pgditto.config.json"));
    expect((await errorOf()).message).toMatch(/pgditto\.config\.json cannot be read \(EISDIR\)/);
  });
});

describe("JSON", () => {
  test("comments, trailing commas, a byte order mark and $schema are fine", async () => {
    await write('\uFEFF// mine\n{\n  "$schema": "./config.schema.json", /* here */\n  "jobs": 8,\n  "tables": ["a", "b",],\n}\n');
    const file = await load();
    expect([...(file?.values ?? [])]).toEqual([
      ["jobs", 8],
      ["tables", ["a", "b"]],
    ]);
    expect(file?.locate(["jobs"])).toEqual({ code: "config", name: "pgditto.config.json:4:3: jobs" });
  });

  test("nested keys have places too", async () => {
    await write('{\n  "source": {\n    "host": "db1", "port": 1 }\n}');
    expect((await load())?.locate(["source", "port"]).name).toBe("pgditto.config.json:3:20: source.port");
  });

  test.each([
    ["", "1:1: a value belongs here."],
    ["// nothing\n", "2:1: a value belongs here."],
    ['{\n  "jobs": 4\n  "mode": "staging"\n}', "3:3: a comma belongs here, between two entries."],
    ['{\n  "jobs" 4\n}', "2:10: a colon belongs here, between key and value."],
    ["{\n  jobs: 4\n}", "2:3: a word is not in double quotes."],
    ['{\n  "source": { "password": hunter2 }\n}', "2:27: a word is not in double quotes."],
    ['{\n  "source": "postgresql://u:hunter2@h/db\n}', "2:13: a string is not closed."],
    ['{ "jobs": 4', "1:12: a closing } is missing."],
    ['{ "jobs": }', "1:11: a value belongs here."],
    ['{ "tables": ["a" ', "1:18: a closing ] is missing."],
    ["{} x", "1:4: a word is not in double quotes."],
    ["{} {}", "1:4: something follows the closing }."],
    ["{ /* open", "1:3: a comment is not closed."],
    ['{ "a": "\\q" }', "1:8: a backslash escape is not one of JSON's."],
    ["[]", "1:1: the file holds a list, not an object."],
    ["null", "1:1: the file holds null, not an object."],
    ['{\n  "jobs": 4,\n  "jobs": 5\n}', "3:3: jobs: this key is given twice."],
    ['{ "source": { "host": "a", "host": "b" } }', "1:28: host: this key is given twice."],
    ['{\n  "jbos": 4\n}', "2:3: jbos: there is no such option."],
    ['{ "config": "x.json" }', "1:3: config: there is no such option."],
    ['{ "__proto__": {} }', "1:3: __proto__: there is no such option."],
  ])("%j", async (text, message) => {
    await write(text);
    const error = await errorOf();
    expect(error).toMatchObject({ code: "config", message: `pgditto.config.json:${message}`, exitCode: 2 });
    expect(error.hint).toBeTruthy();
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain("hunter2");
  });

  test("a near key is offered", async () => {
    await write('{ "jbos": 4 }');
    expect((await errorOf()).hint).toBe("Did you mean jobs?");
  });
});

describe("modules", () => {
  const NAME = "pgditto.config.mjs";

  test("the default export is the configuration", async () => {
    await write("export default { jobs: 2 + 1, tables: ['a'], mode: undefined };", NAME);
    const file = await load();
    expect([...(file?.values ?? [])]).toEqual([
      ["jobs", 3],
      ["tables", ["a"]],
    ]);
    expect(file?.locate(["jobs"]).name).toBe("pgditto.config.mjs: jobs");
  });

  test.each([
    ["export const jobs = 4;", "there is no default export."],
    ["export default 4;", "the default export is a number, not an object."],
    ["export default [];", "the default export is a list, not an object."],
    ["export default null;", "the default export is null, not an object."],
    ["export default () => ({});", "the default export is a function, not an object."],
    ["export default { jbos: 4 };", "jbos: there is no such option."],
  ])("%s", async (text, message) => {
    await write(text, NAME);
    expect(await errorOf()).toMatchObject({ code: "config", message: `${NAME}: ${message}` });
  });

  test.each([
    ["export default {\n  password: hunter2\n};", "ReferenceError"],
    ["export default {\n  password: 'a' hunter2\n};", "Error"],
    ["throw new Error('hunter2');", "Error"],
    ["import './gone-hunter2.mjs';\nexport default {};", "Error"],
    ["throw 'hunter2';", "it threw something that is no Error"],
  ])("%j names the file and shows nothing of it", async (text, name) => {
    await write(text, NAME);
    const error = await errorOf();
    expect(error.code).toBe("config");
    expect(error.message).toMatch(/^pgditto\.config\.mjs(:\d+)?: the file cannot be loaded/);
    expect(error.message).toContain(name);
    expect(error.cause).toBeUndefined();
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain("hunter2");
  });
});
