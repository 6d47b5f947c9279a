import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS, WORDS } from "../../src/config/option-spec.ts";
import { VERSION } from "../../src/index.ts";
import { jsonLines } from "../support/cli-run.ts";
import { runCli } from "../support/run-cli.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "test-usage-"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Nothing listens there, so that a run which gets past its options ends with 4, and at once. */
const NOWHERE = { MAIN_DB_URL: "postgresql://127.0.0.1:1/a", ARCHIVE_DB_URL: "postgresql://127.0.0.1:1/b" };

describe("wrong usage: exit 2, with the name, the reason and the nearest thing", () => {
  test.each<[string, string[], Record<string, string>, RegExp[]]>([
    ["an unknown flag", ["--jbos", "3"], {}, [/no flag --jbos/, /Did you mean --jobs\?/]],
    ["an unknown flag with a secret", ["--pasword=hunter2secret"], {}, [/no flag --pasword/]],
    ["an unknown command", ["snyc"], {}, [/no command snyc/, /Did you mean sync\?/]],
    ["a URL where a command belongs", ["postgresql://u:hunter2secret@h/d"], {}, [/--source and --target/]],
    ["another command's flag", ["sync", "--keep"], {}, [/--keep is not a flag of pgditto sync/, /belongs to demo/]],
    ["a second word", ["sync", "now"], {}, [/takes flags only/]],
    ["a flag without its value", ["--jobs"], {}, [/--jobs/, /value is missing/]],
    ["a bad mode", ["--mode", "stagin"], {}, [/--mode: "stagin"/, /Did you mean staging\?/]],
    ["a bad pg_dump", ["--pg-dump", "natve"], {}, [/Did you mean native\?/]],
    ["jobs that are no number", [], { PG_JOBS: "abc" }, [/PG_JOBS: "abc" is not a whole number/, /from 1 to 1000\. The default is 4/]],
    ["no jobs at all", [], { PG_JOBS: "0" }, [/PG_JOBS: 0 is less than 1/]],
    ["fewer than no jobs", [], { PG_JOBS: "-1" }, [/PG_JOBS: -1 is less than 1/]],
    ["a fraction", [], { BATCH_SIZE: "1.5" }, [/BATCH_SIZE: "1\.5" is not a whole number/]],
    ["no attempt at all", [], { RETRY_COUNT: "0" }, [/RETRY_COUNT: 0 is less than 1/]],
    ["a port that is none", [], { MAIN_DB_URL: "", MAIN_DB_PORT: "54x2" }, [/MAIN_DB_PORT: "54x2" is not a port number/]],
    ["an unknown parameter", [], { MAIN_DB_URL: "postgresql://h/d?sslmod=require" }, [/sslmod/, /Did you mean sslmode\?/]],
    ["an unknown sslmode", [], { MAIN_DB_URL: "postgresql://h/d?sslmode=requires" }, [/MAIN_DB_URL, sslmode/, /Did you mean require\?/]],
    ["a config file that is missing", ["--config", "none.json"], {}, [/none\.json/, /does not exist/]],
  ])("%s", async (_, args, env, patterns) => {
    const started = Date.now();
    const { code, stdout, stderr } = await runCli(args, { env: { ...NOWHERE, ...env } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const pattern of [/ERROR DETAILS/, /Hint +: \S/, /Exit code : 2/, ...patterns]) expect(stderr).toMatch(pattern);
    expect(stderr).not.toContain("hunter2secret");
    expect(stderr).not.toMatch(/^ +at /m); // no stack trace
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test("as JSON too: one line, which is the first and the last", async () => {
    for (const args of [
      ["--json", "--jbos=3"],
      ["snyc", "--json"],
      ["--json", "--jobs", "x"],
      ["plan", "--json", "--mode=x"],
    ]) {
      const { code, stdout, stderr } = await runCli(args, { env: NOWHERE });
      const lines = jsonLines(stdout);
      expect({ code, stderr, lines: lines.length }).toEqual({ code: 2, stderr: "", lines: 1 });
      expect(lines[0]).toMatchObject({ type: "run:failed", format: 1, version: VERSION, exitCode: 2, error: { code: "usage" } });
    }
  });
});

describe("the config file", () => {
  const run = async (name: string, text: string, args: string[] = [], env: Record<string, string> = {}) => {
    const cwd = await mkdtemp(join(folder, "cwd-"));
    await writeFile(join(cwd, name), text);
    return await runCli(args, { cwd, env });
  };

  test("malformed JSON: file, line and column", async () => {
    const { code, stderr } = await run("pgditto.config.json", '{\n  "jobs": 2,\n  "mode": staging\n}\n');
    expect(code).toBe(2);
    expect(stderr).toMatch(/pgditto\.config\.json:3:\d+|pgditto\.config\.json.*line 3/);
  });

  test("a value of the wrong kind, and a key that is unknown: each named with its line", async () => {
    const wrong = await run("pgditto.config.json", '{\n  "mode": "staging",\n  "jobs": "many"\n}\n');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/jobs/);
    expect(wrong.stderr).toMatch(/pgditto\.config\.json.*3/);
    const unknown = await run("pgditto.config.json", '{\n  "jbos": 3\n}\n');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/jbos/);
    expect(unknown.stderr).toMatch(/Did you mean jobs\?/);
    expect(unknown.stderr).toMatch(/pgditto\.config\.json.*2/);
  });

  test("in JSON and as a module; a flag goes before the environment, which goes before the file", async () => {
    const url = "postgresql://filed@127.0.0.1:1/filed_db";
    const json = JSON.stringify({ source: url, target: url, jobs: 7, batchSize: 3 });
    for (const [name, text] of [
      ["pgditto.config.json", json],
      ["pgditto.config.mjs", `export default ${json}`],
    ] as const) {
      const banner = async (args: string[], env: Record<string, string>) => (await run(name, text, args, env)).stdout;
      expect(await banner([], {})).toMatch(/filed@127\.0\.0\.1:1\/filed_db[^]*Jobs +: 7 [^]*Tables at once +: 3 \(21 /);
      expect(await banner([], { PG_JOBS: "6", MAIN_DB_URL: "postgresql://env@127.0.0.1:1/env_db" })).toMatch(
        /Source \(MAIN\) +: env@127\.0\.0\.1:1\/env_db[^]*Jobs +: 6 /,
      );
      expect(await banner(["--jobs", "5"], { PG_JOBS: "6" })).toMatch(/Jobs +: 5 /);
    }
  });

  test("a module that throws: its name and how to see its words, which may hold a secret", async () => {
    const { code, stderr } = await run("pgditto.config.mjs", 'throw new Error("no password hunter2secret");');
    expect(code).toBe(2);
    expect(stderr).toMatch(/pgditto\.config\.mjs.*cannot be loaded[^]*`node pgditto\.config\.mjs`/);
    expect(stderr).not.toContain("hunter2secret");
  });
});

describe("help and version", () => {
  test.each([["--help"], ["-h"], ["help"]])("pgditto %s", async (arg) => {
    const { code, stdout, stderr } = await runCli([arg]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of COMMANDS) expect(stdout).toContain(`  ${command} `);
    for (const word of ["PG_JOBS", "BATCH_SIZE", "RETRY_COUNT", "CORE_TABLES", "DUMP_DIR", "MAIN_DB_HOST", "ARCHIVE_DB_", "Exit codes:"])
      expect(stdout).toContain(word);
    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  test("of every command, with its own flags alone", async () => {
    for (const command of COMMANDS) {
      const [long, asked] = await Promise.all([runCli([command, "--help"]), runCli(["help", command])]);
      expect(long.code).toBe(0);
      expect(long.stdout).toContain(
        `Usage: pgditto ${[command, ...(WORDS[command]?.choices ? [WORDS[command].choices.join("|")] : [])].join(" ")} [flags]`,
      );
      expect(asked.stdout).toBe(long.stdout);
      expect(long.stdout.includes("--keep ")).toBe(command === "demo");
      expect(long.stdout.includes("--jobs ")).toBe(!["demo", "cleanup"].includes(command));
    }
  });

  test("wins over whatever else is wrong; so does the version", async () => {
    expect(await runCli(["--nonsense", "--help"])).toMatchObject({ code: 0, stderr: "" });
    for (const flag of ["--version", "-V"]) expect(await runCli([flag])).toMatchObject({ code: 0, stdout: `pgditto ${VERSION}\n` });
  });
});

describe("the ways it is called", () => {
  test("npx pgditto in the checkout runs this build: no registry, no question", async () => {
    const home = join(folder, "npx-home");
    await mkdir(home);
    const { stdout } = await promisify(execFile)("npx", ["pgditto", "--version"], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      // a port where nothing listens is the registry, an empty folder the cache
      env: { PATH: process.env["PATH"], HOME: home, npm_config_registry: "http://127.0.0.1:1", npm_config_cache: join(home, "cache") },
      timeout: 60_000,
      shell: process.platform === "win32",
    });
    expect(stdout).toBe(`pgditto ${VERSION}\n`);
  });

  test("plain `pgditto` is sync", async () => {
    const { code, stdout } = await runCli([], { env: NOWHERE });
    expect(code).toBe(4);
    expect(stdout).toContain("SYNC CONFIGURATION");
  });

  test("an end in sight: where nobody answers, after --connect-timeout", async () => {
    // takes connections and says nothing
    const mute = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => void mute.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = mute.address() as { port: number };
      const started = Date.now();
      const { code, stderr } = await runCli(["--connect-timeout", "1", "--source", `postgresql://127.0.0.1:${port}/x`], { env: NOWHERE });
      expect(code).toBe(4);
      expect(stderr).toMatch(/timeout/i);
      expect(stderr).toMatch(/SQLSTATE +: ETIMEDOUT/);
      // three attempts of a second, waits between them
      expect(Date.now() - started).toBeLessThan(15_000);
    } finally {
      mute.close();
    }
  });

  test("a config file that may not be read", async () => {
    const file = join(folder, "secret.json");
    await writeFile(file, "{}");
    await chmod(file, 0);
    const { code, stderr } = await runCli(["--config", file], { env: NOWHERE });
    // root may read everything
    expect(code).toBe(process.getuid?.() === 0 ? 4 : 2);
    expect(stderr).toContain(process.getuid?.() === 0 ? "ECONNREFUSED" : "EACCES");
  });
});
