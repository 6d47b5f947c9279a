import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { findPassword, passfileObjection, passwordFromFile } from "./pgpass.ts";
import { collectWarnings } from "./warning.ts";

const KEY = { host: "db1", port: 5432, database: "shop", user: "app" };

describe("lines (manual 34.16)", () => {
  test.each<[string, string | undefined]>([
    ["db1:5432:shop:app:secret", "secret"],
    ["db1:5432:shop:app:secret\r\n", "secret"],
    ["*:*:*:*:any", "any"],
    ["db1:*:shop:*:some", "some"],
    ["db2:5432:shop:app:no\n\n*:*:*:app:second", "second"],
    ["db1:5432:shop:app:first\n*:*:*:*:second", "first"],
    ["# db1:5432:shop:app:comment\n*:*:*:*:after", "after"],
    ["#*:*:*:*:comment", undefined],
    ["db1:5433:shop:app:x", undefined],
    ["db1:5432:shop2:app:x", undefined],
    ["db1:5432:shop:ap:x", undefined],
    ["DB1:5432:shop:app:x", undefined],
    ["db:5432:shop:app:x", undefined],
    ["db*:5432:shop:app:x", undefined],
    [String.raw`\*:*:*:*:x`, undefined],
    [String.raw`\d\b1:5432:shop:app:x`, "x"],
    ["db1:5432:shop:app", undefined],
    ["db1:5432:shop", undefined],
    ["db1:5432:shop:app:", undefined],
    ["", undefined],
    [String.raw`*:*:*:*:a\:b\\c`, String.raw`a:b\c`],
    ["*:*:*:*:stops:here", "stops"],
    [String.raw`*:*:*:*:ends\\:rest`, "ends\\"],
    [String.raw`*:*:*:*:trailing\ `.trim(), "trailing\\"],
    ["*:*:*:*: spaces count ", " spaces count "],
    ["*:*:*:*:größe€", "größe€"],
  ])("%j", (text, password) => {
    expect(findPassword(text, KEY)).toBe(password);
  });

  test("escaped colons and backslashes match names that hold them", () => {
    const text = String.raw`\:\:1:5432:a\\b\:c:app:six`;
    expect(findPassword(text, { ...KEY, host: "::1", database: "a\\b:c" })).toBe("six");
    expect(findPassword(text, { ...KEY, host: "::1", database: "a\\b" })).toBeUndefined();
  });

  test.each<[string, string | undefined]>([
    ["::1:5432:shop:app:six", "six"],
    [String.raw`\:\:1:5432:shop:app:six`, "six"],
    [String.raw`:\:1:5432:shop:app:six`, "six"],
    ["::2:5432:shop:app:six", undefined],
    [":1:5432:shop:app:six", undefined],
    ["::1", undefined],
  ])("libpq finds an IPv6 address with and without backslashes: %s", (text, password) => {
    expect(findPassword(text, { ...KEY, host: "::1" })).toBe(password);
  });

  test.each([
    ["/var/run/postgresql", "localhost:*:*:*:local", "local"],
    ["/run/postgresql", "localhost:*:*:*:local", "local"],
    ["/tmp/", "localhost:*:*:*:local", "local"],
    // no socket, but the one host that a comment could be taken for
    ["#h", "#h:*:*:*:comment", undefined],
    ["/srv/pg", "localhost:*:*:*:local", undefined],
    ["/srv/pg", "/srv/pg:*:*:*:own", "own"],
  ])("host %s with %s", (host, text, password) => {
    expect(findPassword(text, { ...KEY, host })).toBe(password);
  });
});

describe("the file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgditto-pgpass-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function lookUp(
    path: string,
    named: boolean,
    platform: NodeJS.Platform = "linux",
  ): Promise<[string | undefined, Array<string | undefined>]> {
    const { warnings, warnOf } = collectWarnings();
    const password = await passwordFromFile(path, named, KEY, platform, warnOf("source"));
    return [password, warnings.map((warning) => `${warning.code} ${warning.message.includes(path)}`)];
  }

  test.each([
    [0o600, "secret", []],
    [0o400, "secret", []],
    [0o640, undefined, ["pgpass-permissions true"]],
    [0o604, undefined, ["pgpass-permissions true"]],
    [0o620, undefined, ["pgpass-permissions true"]],
    [0o601, undefined, ["pgpass-permissions true"]],
  ])("mode %o", async (mode, password, warnings) => {
    const path = join(folder, ".pgpass");
    await writeFile(path, "db1:5432:shop:app:secret\n");
    await chmod(path, mode);
    expect(await lookUp(path, false)).toEqual([password, warnings]);
  });

  test("modes mean nothing on Windows", () => {
    expect(passfileObjection({ plain: true, mode: 0o100666, uid: 0 }, "win32")).toBeUndefined();
    expect(passfileObjection({ plain: true, mode: 0o100666, uid: 0 }, "linux")).toBe("permissions");
  });

  test("a folder is no password file", async () => {
    const path = join(folder, "sub");
    await mkdir(path);
    expect(await lookUp(path, false)).toEqual([undefined, ["pgpass-not-plain true"]]);
  });

  test("a missing file is told only to whoever named it", async () => {
    const path = join(folder, "none");
    expect(await lookUp(path, false)).toEqual([undefined, []]);
    expect(await lookUp(path, true)).toEqual([undefined, ["pgpass-missing true"]]);
  });
});
