import { describe, expect, test } from "vitest";

import { COMMANDS, WORDS } from "../config/option-spec.ts";
import { OPTION_KEYS, specOf } from "../config/options.ts";
import type { CliFlags } from "../config/pgditto-options.ts";
import { PgdittoError } from "../errors.ts";
import { parseArgv } from "./argv.ts";
import { helpText } from "./help.ts";

function errorOf(...argv: string[]): PgdittoError {
  try {
    parseArgv(argv);
  } catch (error) {
    if (error instanceof PgdittoError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("commands", () => {
  test("none means sync", () => {
    expect(parseArgv([])).toEqual({ command: "sync", commandGiven: false, flags: {}, help: false, version: false });
  });

  test.each(COMMANDS)("%s", (command) => {
    const taken = WORDS[command];
    const word = taken && (taken.choices?.[0] ?? "x");
    expect(parseArgv([command, ...(word === undefined ? [] : [word])])).toEqual({
      command,
      commandGiven: true,
      word,
      flags: {},
      help: false,
      version: false,
    });
  });

  test("one that takes a word", () => {
    const expected = { command: "constraints", word: "drop", flags: { kinds: ["check", "unique,fk"] } };
    expect(parseArgv(["constraints", "drop", "--kind", "check", "--kind=unique,fk"])).toMatchObject(expected);
    expect(parseArgv(["--kind", "check", "constraints", "--kind=unique,fk", "drop"])).toMatchObject(expected);
  });

  test("before or behind the flags", () => {
    const expected = { command: "plan", flags: { jobs: 8, yes: true } };
    expect(parseArgv(["plan", "-j", "8", "-y"])).toMatchObject(expected);
    expect(parseArgv(["-j", "8", "-y", "plan"])).toMatchObject(expected);
  });

  test.each([
    [["--help"], { command: "sync", commandGiven: false, help: true }],
    [["-h"], { command: "sync", help: true }],
    [["help"], { commandGiven: false, help: true }],
    [["help", "plan"], { command: "plan", commandGiven: true, help: true }],
    [["cleanup", "--help", "--nonsense", "--jobs"], { command: "cleanup", help: true, flags: {} }],
    [["--version"], { version: true, help: false }],
    [["-V"], { version: true }],
  ])("%j", (argv, expected) => {
    expect(parseArgv(argv)).toMatchObject(expected);
  });
});

describe("flags", () => {
  test.each<[string[], CliFlags]>([
    [["--jobs", "8"], { jobs: 8 }],
    [["--jobs=8"], { jobs: 8 }],
    [["-j", "8"], { jobs: 8 }],
    [["-j8"], { jobs: 8 }],
    [["-j8", "-j9"], { jobs: 9 }],
    [["-t", "a", "-t", "b", "--table=c d"], { tables: ["a", "b", "c d"] }],
    [["-T", "a", "-n", "b", "-N", "c"], { excludeTables: ["a"], schemas: ["b"], excludeSchemas: ["c"] }],
    [["--table=-odd"], { tables: ["-odd"] }],
    [["-Oxy"], { noOwner: true, noAcl: true, yes: true }],
    [["-Oj3"], { noOwner: true, jobs: 3 }],
    [["--no-privileges"], { noAcl: true }],
    [["--yes=false", "--keep-previous=true"], { yes: false, keepPrevious: true }],
    [["--source=postgresql://u:p=q@h/db?sslmode=require"], { source: "postgresql://u:p=q@h/db?sslmode=require" }],
    [["--source", "host=a dbname=b", "--target", "postgresql:///x"], { source: "host=a dbname=b", target: "postgresql:///x" }],
    [["--mode", "recreate", "--pg-dump", "wasm", "--pg-bin", "/b"], { mode: "recreate", pgDump: "wasm", pgBin: "/b" }],
    [
      ["--batch-size", "2", "--retry-count", "1", "--dump-dir", "d", "--connect-timeout", "5", "--json", "--config", "c.json"],
      { batchSize: 2, retryCount: 1, dumpDir: "d", connectTimeout: 5, json: true, config: "c.json" },
    ],
    [
      ["--skip-extension", "postgis", "--skip-extension", "vector", "--no-tablespaces"],
      { skipExtensions: ["postgis", "vector"], noTablespaces: true },
    ],
    [["--profile", "run.json"], { profile: "run.json" }],
    [["demo", "--keep"], { keep: true }],
    [
      ["cleanup", "--target", "postgresql:///x", "-y", "--json", "--config", "c"],
      { target: "postgresql:///x", yes: true, json: true, config: "c" },
    ],
  ])("%j", (argv, flags) => {
    expect(parseArgv(argv).flags).toEqual(flags);
  });

  test("every option of the table is understood under each of its names", () => {
    const texts = {
      endpoint: "x",
      integer: "7",
      choice: "",
      text: "x",
      names: "x",
      size: "1MB",
      count: "7",
      pairs: "before=x",
      boolean: "",
    };
    for (const key of OPTION_KEYS) {
      const spec = specOf(key);
      const [command = "sync"] = spec.commands;
      const word = WORDS[command]?.choices?.[0];
      const value = spec.type === "choice" ? [spec.choices[0]] : spec.type === "boolean" ? [] : [texts[spec.type]];
      const names = [
        `--${spec.flag}`,
        ...(spec.short === undefined ? [] : [`-${spec.short}`]),
        ...(spec.aliases ?? []).map((alias) => `--${alias}`),
      ];
      for (const name of names)
        expect(Object.keys(parseArgv([command, ...(word === undefined ? [] : [word]), name, ...value]).flags)).toEqual([key]);
    }
  });
});

describe("bad input", () => {
  test.each<[string[], string, string]>([
    [["--jbos", "4"], "There is no flag --jbos.", "Did you mean --jobs?"],
    [["--tables", "a"], "There is no flag --tables.", "Did you mean --table?"],
    [["--no-yes"], "There is no flag --no-yes.", "Write --yes=false."],
    [["-z"], "There is no flag -z.", "pgditto sync --help lists the flags."],
    [["-yz"], "There is no flag -z.", "pgditto sync --help"],
    [["--sorce=postgresql://u:hunter2@h"], "There is no flag --sorce.", "Did you mean --source?"],
    [["--sorce", "postgresql://u:hunter2@h"], "There is no flag --sorce.", "Did you mean --source?"],
    [["plna"], "There is no command plna.", "Did you mean plan?"],
    [
      ["frobnicate"],
      "There is no command frobnicate.",
      "The commands are sync, plan, verify, doctor, export, import, cleanup, constraints, repair, demo.",
    ],
    [["export"], "pgditto export needs a word behind it: DIR.", "Write pgditto export DIR."],
    [["import", "a", "b"], "pgditto import takes one DIR", "--source"],
    [["postgresql://u:hunter2@h/db"], "There is an argument that is neither a command nor a flag.", "--source"],
    [["sync", "hunter2"], "pgditto sync takes flags only, and there is a further word behind it.", "--source"],
    [["sync", "plan"], "pgditto sync takes flags only", "--source"],
    [["constraints"], "pgditto constraints needs a word behind it: drop, restore, list.", "Write pgditto constraints drop."],
    [["constraints", "dorp"], "pgditto constraints: there is no such action.", "Did you mean drop?"],
    [["constraints", "drop", "orders"], "pgditto constraints takes one ACTION", "tables with --table"],
    [["repair", "drop"], "pgditto repair takes flags only", "--target"],
    [["repair", "-t", "orders"], "-t is not a flag of pgditto repair.", "It belongs to sync, plan, verify, doctor, export, constraints."],
    [["--jobs"], "--jobs: the value is missing.", "Write --jobs VALUE"],
    [["-j"], "-j: the value is missing.", "Write -j VALUE"],
    [["--jobs", "--yes"], "--jobs: the value is missing.", "--jobs=VALUE"],
    [["--source", "-y"], "--source: the value is missing.", "--source=VALUE"],
    [["-t", ""], "-t: the value is empty.", "Give a value"],
    [["--config="], "--config: the value is empty.", "Give a value"],
    [["--jobs", "abc"], '--jobs: "abc" is not a whole number.', "from 1 to 1000"],
    [["-j0"], "-j: 0 is less than 1.", "from 1 to 1000"],
    [["--jobs", "-1"], "--jobs: -1 is less than 1.", "from 1 to 1000"],
    [["--jobs="], '--jobs: "" is not a whole number.', "from 1 to 1000"],
    [["-j=8"], '-j: "=8" is not a whole number.', "from 1 to 1000"],
    [["--retry-count", "0"], "--retry-count: 0 is less than 1.", "from 1 to 100"],
    [["--mode", "stage"], '--mode: "stage" is not one of staging, recreate, truncate.', "staging"],
    [["--yes=maybe"], '--yes: "maybe" is neither true nor false.', "=false"],
    [
      ["cleanup", "--jobs", "4"],
      "--jobs is not a flag of pgditto cleanup.",
      "It belongs to sync, plan, verify, doctor, export, import, constraints, repair.",
    ],
    [["demo", "-y"], "-y is not a flag of pgditto demo.", "It belongs to sync, plan, doctor, import, cleanup, repair, constraints."],
    [["--keep"], "--keep is not a flag of pgditto sync.", "It belongs to demo."],
    [["cleanup", "--jbos"], "There is no flag --jbos.", "Did you mean --json?"],
    [["cleanup", "--exclude-tables"], "There is no flag --exclude-tables.", "pgditto cleanup --help lists the flags."],
  ])("%j", (argv, message, hint) => {
    const error = errorOf(...argv);
    expect(error).toMatchObject({ code: "usage", exitCode: 2 });
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect(`${error.message} ${error.hint ?? ""} ${error.object ?? ""}`).not.toContain("hunter2");
  });
});

describe("help", () => {
  test.each([undefined, ...COMMANDS])("of %s fits 100 columns and has exit codes and an example", (command) => {
    const text = helpText(command);
    expect(text.split("\n").filter((line) => line.length > 100 || line !== line.trimEnd())).toEqual([]);
    expect(text).toContain("Exit codes:");
    expect(text).toMatch(/Example:\n {2}pgditto/);
    expect(text).toMatch(/\n$/);
  });

  test.each(COMMANDS)("of %s names exactly its flags, each with its variable", (command) => {
    const text = helpText(command);
    for (const key of OPTION_KEYS) {
      const spec = specOf(key);
      const takes = spec.commands.includes(command);
      expect(new RegExp(`^ {2}(-., | {4})--${spec.flag}\\b(?!-)`, "m").test(text), spec.flag).toBe(takes);
      if (takes && spec.env !== undefined) expect(text.replace(/\s+/g, " ")).toContain(`environment: ${spec.env}`);
    }
  });

  test("the general one lists the commands; the examples can be run", () => {
    for (const command of COMMANDS) {
      expect(helpText(undefined)).toContain(`  ${command} `);
      const example = /Example:\n {2}pgditto (.*)\n/.exec(helpText(command))?.[1] ?? "";
      expect(parseArgv(example.split(" ")).command).toBe(command);
    }
  });
});
