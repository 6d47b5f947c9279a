import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { appendFile, chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportDump, importDump, sync, type SyncEvent } from "../../src/index.ts";
import { runBetween } from "../support/cli-run.ts";
import { type FreshDatabase, freshDatabase, reservedDatabase } from "../support/databases.ts";
import { dumpPlace, hasPrograms, manifestOf, NO_PROGRAMS } from "../support/dumps.ts";
import { runCli } from "../support/run-cli.ts";
import { NO_MOUNT, smallDisk } from "../support/small-disk.ts";

/** Nobody listens there: whatever ends in another way than `target-connect` has not asked for the target. */
const NOWHERE = { url: "postgresql://nobody:x@127.0.0.1:9/nowhere" };
const ROWS = `CREATE TABLE t AS SELECT n, md5(n::text) AS v FROM generate_series(1, 2000) n; SELECT lo_from_bytea(4711, '\\x010203');`;

const suitable = await hasPrograms();
let source: FreshDatabase;

beforeAll(async () => {
  source = await freshDatabase("source", { sql: ROWS });
});
afterAll(async () => {
  await source[Symbol.asyncDispose]();
});

describe.skipIf(!suitable)(`a dump that is not whole (unless ${NO_PROGRAMS})`, () => {
  type Harm = (folder: string) => Promise<void>;
  const flip = async (file: string): Promise<void> => {
    const bytes = await readFile(file);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(file, bytes);
  };
  const dataOf = async (folder: string): Promise<string> => {
    const entry = (await readdir(folder)).find((name) => name.endsWith(".dir")) ?? "";
    const file = (await readdir(join(folder, entry))).find((name) => name.endsWith(".dat.gz")) ?? "";
    return join(folder, entry, file);
  };

  type Forged = Record<string, unknown> & {
    entries: Array<{ path: string }>;
    files: Array<{ path: string }>;
    catalog: { largeObjects: Array<{ owner: string }> };
  };
  /** With a digest that is right. */
  const forge = async (folder: string, change: (contents: Forged) => unknown): Promise<void> => {
    const { format, contents } = await manifestOf(folder);
    change(contents as Forged);
    const sha256 = createHash("sha256").update(JSON.stringify(contents)).digest("hex");
    await writeFile(join(folder, "manifest.json"), JSON.stringify({ format, sha256, contents }));
  };

  test.each<[string, Harm, RegExp]>([
    ["a bit flipped in the rows", async (folder) => flip(await dataOf(folder)), /t-\d+\.dir\/\d+\.dat\.gz was altered/],
    ["a bit flipped in the schema", (folder) => flip(join(folder, "schema_dump.sql")), /schema_dump\.sql was altered/],
    ["a bit flipped in a large object", (folder) => flip(join(folder, "large-objects-0.bin")), /large-objects-0\.bin was altered/],
    ["a bit flipped in the manifest", (folder) => flip(join(folder, "manifest.json")), /manifest\.json is not as it was written/],
    ["a truncated manifest", (folder) => truncate(join(folder, "manifest.json"), 1000), /manifest\.json is not as it was written/],
    ["a truncated file", async (folder) => truncate(await dataOf(folder), 100), /\.dat\.gz has 100 bytes instead of \d+/],
    ["a missing file", async (folder) => rm(await dataOf(folder)), /\.dat\.gz is missing/],
    [
      "a missing entry",
      async (folder) => rm(join(await dataOf(folder), ".."), { recursive: true }),
      /toc\.dat is missing|\.dat\.gz is missing/,
    ],
    ["a file more", async (folder) => appendFile(join(folder, "notes.txt"), "x"), /notes\.txt is not of this dump/],
    [
      "a link in the place of a file",
      async (folder) => {
        const file = await dataOf(folder);
        await rename(file, `${folder}-elsewhere`);
        await symlink(`${folder}-elsewhere`, file);
      },
      /\.dat\.gz is not a file/,
    ],
    [
      "a pipe in the place of a file, which nobody writes to",
      async (folder) => {
        const file = await dataOf(folder);
        await rm(file);
        await promisify(execFile)("mkfifo", [file]);
      },
      /\.dat\.gz is not a file/,
    ],
    [
      "a manifest that leads out of the folder",
      (folder) => forge(folder, ({ entries }) => entries.forEach((entry) => (entry.path = `../${entry.path}`))),
      /\.\.\/public\.t-\d+\.dir is no name in the folder/,
    ],
    [
      "a manifest with an entry that no file is of",
      (folder) => forge(folder, ({ entries }) => entries.forEach((entry) => (entry.path = "other-1.dir"))),
      /other-1\.dir is missing/,
    ],
    [
      "a manifest with large objects that no file is of",
      async (folder) => {
        await forge(folder, (contents) => (contents.files = contents.files.filter(({ path }) => !path.endsWith(".bin"))));
        await rm(join(folder, "large-objects-0.bin"));
      },
      /large-objects-0\.bin is missing/,
    ],
    [
      "a manifest without a part",
      (folder) => forge(folder, (contents) => Reflect.deleteProperty(contents, "catalog")),
      /manifest\.json is not as it was written/,
    ],
    [
      "a manifest with an unknown object to drop",
      (folder) => forge(folder, (contents) => (contents["lacking"] = [{ kind: "schema", name: "public; DROP TABLE t" }])),
      /manifest\.json is not as it was written/,
    ],
    [
      "a manifest with SQL for a sequence's value",
      (folder) =>
        forge(
          folder,
          (contents) => (contents["sequences"] = [{ schema: "public", name: "s", value: "1", called: "true); DROP TABLE t; --" }]),
        ),
      /manifest\.json is not as it was written/,
    ],
    [
      "a manifest with SQL for the owner of a large object",
      (folder) => forge(folder, ({ catalog }) => catalog.largeObjects.forEach((each) => (each.owner += "; DROP TABLE t"))),
      /manifest\.json is not as it was written/,
    ],
    ["an export that did not end", (folder) => rm(join(folder, "manifest.json")), /there is no manifest\.json in it/],
    [
      "a manifest of a newer format",
      async (folder) => {
        const { contents, sha256 } = await manifestOf(folder);
        await writeFile(join(folder, "manifest.json"), JSON.stringify({ format: 2, sha256, contents }));
      },
      /manifest\.json is of format 2; this pgditto reads up to 1\./,
    ],
  ])("%s: refused by name, before anybody asks for the target", async (_what, harm, message) => {
    await using place = await dumpPlace();
    const folder = join(place.path, "d");
    await exportDump(folder, { source: source.url });
    await harm(folder);
    const { code, stderr, stdout } = await runCli(["import", folder], { env: { ARCHIVE_DB_URL: NOWHERE.url } });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/Hint +: \S/);
    expect(code, stdout).toBe(6);
  });

  test("whole, and the target cannot be reached: that is what is told then", async () => {
    await using place = await dumpPlace();
    const folder = join(place.path, "d");
    await exportDump(folder, { source: source.url });
    await expect(importDump(folder, { target: NOWHERE.url, retryCount: 1 })).rejects.toMatchObject({ code: "target-connect" });
  });

  test("checksums that the export did not take cannot be compared", async () => {
    await using place = await dumpPlace();
    const folder = join(place.path, "d");
    await exportDump(folder, { source: source.url });
    const { code, stderr } = await runCli(["import", folder, "--verify", "checksum"], { env: { ARCHIVE_DB_URL: NOWHERE.url } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/The dump holds no checksums[^]*Export with --verify checksum/);
  });

  test("no folder at all, a file, and a relative path from the current folder", async () => {
    await using place = await dumpPlace();
    const file = join(place.path, "file");
    await writeFile(file, "x");
    for (const folder of [join(place.path, "nothing"), file, "nothing"]) {
      const { code, stderr } = await runCli(["import", folder], { env: { ARCHIVE_DB_URL: NOWHERE.url }, cwd: place.path });
      expect(code).toBe(6);
      expect(stderr).toMatch(/is not a dump that can be imported: there is no manifest\.json in it/);
    }
  });
});

describe.skipIf(!suitable)(`a folder to write to (unless ${NO_PROGRAMS})`, () => {
  test("that holds something is refused by both, before anything is made; what it holds stays", async () => {
    await using place = await dumpPlace();
    const folder = join(place.path, "mine");
    await mkdir(folder);
    await writeFile(join(folder, "precious.txt"), "42");
    await using target = reservedDatabase("target");
    for (const args of [
      ["export", folder],
      ["sync", "--via", "dump", "--dump-dir", folder],
    ]) {
      const { code, stderr } =
        args[0] === "export" ? await runCli(args, { env: { MAIN_DB_URL: source.url } }) : await runBetween(source, target, args);
      expect(code).toBe(6);
      expect(stderr).toMatch(/cannot be used: it is not empty \(precious\.txt\)[^]*Name a new or an empty folder/);
    }
    expect(await readdir(folder)).toEqual(["precious.txt"]);
    await expect(target.sql("SELECT 1")).rejects.toThrow(/does not exist/);
  });

  test("that another export has written is refused, and stays as it is", async () => {
    await using place = await dumpPlace();
    const folder = join(place.path, "d");
    await exportDump(folder, { source: source.url });
    const before = await readdir(folder);
    await expect(exportDump(folder, { source: source.url })).rejects.toMatchObject({
      code: "dump-folder",
      message: expect.stringContaining("it holds the dump of run") as string,
    });
    expect(await readdir(folder)).toEqual(before);
  });

  test("that is there and empty is used; what was written goes, and the folder stays", async () => {
    await using place = await dumpPlace();
    await using target = reservedDatabase("target");
    const { code, stdout } = await runBetween(source, target, ["--via", "dump"], { env: { DUMP_DIR: place.path } });
    expect(code, stdout).toBe(0);
    expect(await place.names()).toEqual([]);
    expect(await target.sql("SELECT count(*)::int AS n FROM t")).toEqual([{ n: 2000 }]);
  });

  test.each(["directory", "custom"] as const)(
    "that others may enter: what is written into it (%s) only its owner may read",
    async (dumpFormat) => {
      await using place = await dumpPlace();
      await chmod(place.path, 0o755);
      const events: SyncEvent[] = [];
      await exportDump(place.path, { source: source.url, dumpFormat, onEvent: (event) => events.push(event) });
      expect(events).toContainEqual(expect.objectContaining({ code: "dump-folder-open" }));
      const modes = await Promise.all((await place.names()).map(async (name) => [name, (await stat(join(place.path, name))).mode & 0o077]));
      expect(modes).toHaveLength(5);
      expect(modes.filter(([, mode]) => mode !== 0)).toEqual([]);
      // whole all the same
      await expect(importDump(place.path, { target: NOWHERE.url, retryCount: 1 })).rejects.toMatchObject({ code: "target-connect" });
    },
  );

  test("that stays, with passwords to other servers in the schema: told of by name, not by value", async () => {
    await using place = await dumpPlace();
    await using reaching = await freshDatabase("source", {
      sql: `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w OPTIONS (host 'x');
        CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS ("user" 'u', password 'hunter2'); CREATE TABLE password (secret text);
        CREATE SUBSCRIPTION sub CONNECTION 'postgresql://u:hunter3@nowhere.invalid/x' PUBLICATION p WITH (connect = false, slot_name = NONE);`,
    });
    try {
      const events: SyncEvent[] = [];
      await exportDump(join(place.path, "d"), { source: reaching.url, onEvent: (event) => events.push(event) });
      const told = events.filter((event) => event.type === "message" && event.code === "dump-holds-secrets");
      expect(told).toEqual([
        expect.objectContaining({
          level: "warning",
          message: expect.stringMatching(/: SUBSCRIPTION sub, USER MAPPING .* far\.$|: USER MAPPING .* far, SUBSCRIPTION sub\.$/) as string,
        }),
      ]);
      expect(JSON.stringify(events)).not.toMatch(/hunter\d/);
      // that it is true
      expect(await readFile(join(place.path, "d", "schema_dump.sql"), "utf8")).toMatch(/hunter2[^]*hunter3|hunter3[^]*hunter2/);
      // other columns and tables of such names are nobody's password
      await reaching.sql("DROP SUBSCRIPTION sub");
      await reaching.sql("ALTER USER MAPPING FOR PUBLIC SERVER far OPTIONS (DROP password, ADD password_required 'false')");
      events.length = 0;
      await exportDump(join(place.path, "e"), { source: reaching.url, onEvent: (event) => events.push(event) });
      expect(events.filter((event) => event.type === "message" && event.code === "dump-holds-secrets")).toEqual([]);
    } finally {
      await reaching.sql("DROP SUBSCRIPTION IF EXISTS sub");
    }
  });

  test("that somebody else writes into meanwhile: his file is told of, is no part of the dump, and stays", async () => {
    await using place = await dumpPlace();
    await using target = reservedDatabase("target");
    const events: SyncEvent[] = [];
    const intrude =
      (folder: string) =>
      (event: SyncEvent): void => {
        events.push(event);
        if (event.type === "plan:ready") writeFileSync(join(folder, "shop-20260315.dump"), "42");
      };
    const kept = join(place.path, "kept");
    await exportDump(kept, { source: source.url, onEvent: intrude(kept) });
    expect(events).toContainEqual(
      expect.objectContaining({ code: "dump-folder-foreign", message: expect.stringContaining("shop-20260315.dump") as string }),
    );
    const { contents } = await manifestOf(kept);
    expect(JSON.stringify(contents["files"])).not.toContain("shop-2026");
    await expect(importDump(kept, { target: NOWHERE.url })).rejects.toMatchObject({
      code: "dump-folder",
      message: expect.stringContaining("shop-20260315.dump is not of this dump") as string,
    });
    // a run that succeeds, and one that fails, remove what they wrote
    const through = join(place.path, "through");
    await sync({ source: source.url, target: target.url, via: "dump", dumpDir: through, onEvent: intrude(through) });
    expect(await readdir(through)).toEqual(["shop-20260315.dump"]);
    const failed = join(place.path, "failed");
    const stop = new AbortController();
    await expect(
      exportDump(failed, {
        source: source.url,
        signal: stop.signal,
        onEvent: (event) => {
          intrude(failed)(event);
          if (event.type === "plan:ready") stop.abort();
        },
      }),
    ).rejects.toMatchObject({ code: "cancelled" });
    expect(await readdir(failed)).toEqual(["shop-20260315.dump"]);
  });

  test("on a disk that has no room for a single byte: `space`, and no folder stays", async ({ skip }) => {
    await using disk = await smallDisk(1);
    if (!disk) return skip(NO_MOUNT);
    await disk.fillTo(0);
    await using empty = await freshDatabase("source", { sql: "CREATE TABLE t (i int)" });
    const { code, stderr } = await runCli(["export", join(disk.path, "a", "d")], { env: { MAIN_DB_URL: empty.url } });
    expect(stderr).toMatch(/There is no space left in/);
    expect(code).toBe(6);
    expect(await readdir(disk.path)).toEqual(["filler"]);
  });

  test.each([
    ["below a file", "file/below", /ENOTDIR/],
    ["where nobody may write", "closed/d", /EACCES|EROFS|EPERM/],
    ["on a file system that takes none", "/proc/pgditto", /ENOENT|EACCES|EPERM/],
  ])("%s is refused, with the system's reason", async (_what, path, reason) => {
    await using place = await dumpPlace();
    await writeFile(join(place.path, "file"), "");
    await mkdir(join(place.path, "closed"), { mode: 0o500 });
    // the superuser may write everywhere
    if (path.startsWith("closed") && process.getuid?.() === 0) return;
    const { code, stderr } = await runCli(["export", path], { env: { MAIN_DB_URL: source.url }, cwd: place.path });
    expect(code).toBe(6);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/The dump folder \S+ cannot be used[^]*Hint +: Name another folder/);
    await chmod(join(place.path, "closed"), 0o700);
  });

  test("on a disk that is full on the way: the error names the folder and what is missing, and nothing is left", async ({ skip }) => {
    await using disk = await smallDisk(3);
    if (!disk) return skip(NO_MOUNT);
    // does not get smaller, and half of it would fit
    await using large = await freshDatabase("source", {
      sql: "CREATE TABLE noise AS SELECT n, decode(string_agg(md5(random()::text), ''), 'hex') AS b FROM generate_series(1, 6000) n, generate_series(1, 60) GROUP BY n",
    });
    await using target = await freshDatabase("target", { sql: "CREATE TABLE precious AS SELECT 42 AS i" });
    for (const args of [
      ["export", disk.path],
      ["--via", "dump", "--dump-dir", join(disk.path, "d"), "--yes"],
    ]) {
      const { code, stdout, stderr } = await runBetween(large, target, args);
      expect(stderr).toMatch(
        /There is no space left in \S*small-disk[^]*are written, (?:about [\d.]+[KMG] more are needed|more is needed)/,
      );
      expect(stdout).toMatch(/removed: dump folder of this run/);
      expect(code).toBe(6);
      expect(await readdir(disk.path)).toEqual([]);
    }
    expect(await target.sql("SELECT i FROM precious")).toEqual([{ i: 42 }]);
  });

  test("on a disk that is far too small is refused with figures, before anything is written", async ({ skip }) => {
    await using disk = await smallDisk(1);
    if (!disk) return skip(NO_MOUNT);
    await using large = await freshDatabase("source", {
      sql: "CREATE TABLE wide AS SELECT n, repeat('x', 1900) AS v FROM generate_series(1, 9000) n",
    });
    const { code, stderr } = await runCli(["export", join(disk.path, "d")], { env: { MAIN_DB_URL: large.url } });
    expect(code).toBe(6);
    expect(stderr).toMatch(
      /has [\d.]+[KM] free; the dump takes about [\d.]+M \(half of the tables' [\d.]+M\)\. At least [\d.]+[KM] are missing/,
    );
    expect(await readdir(disk.path)).toEqual([]);
  });
});
