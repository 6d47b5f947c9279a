import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

import { OPTION_KEYS, specOf } from "../../src/config/options.ts";
import { ERROR_CODES } from "../../src/errors.ts";
import { readSources, ROOT, withoutComments } from "./sources.ts";

const README = read("README.md");
const PAGES = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
const MANUAL = [README, ...PAGES.map((name) => read(`docs/${name}`))].join("\n");

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Whole words only: `--table` is not told by `--tables`. */
function tells(text: string, word: string): boolean {
  return new RegExp(`(?<![\\w-])${word.replaceAll(/[$.]/g, "\\$&")}(?![\\w-])`).test(text);
}

describe("the documentation tells of", () => {
  test.each(OPTION_KEYS)("the option %s: flag, short flag, variable, config key", (key) => {
    const { flag, short, env, aliases = [], notInFile } = specOf(key);
    for (const long of [flag, ...aliases]) expect(tells(MANUAL, `--${long}`), `--${long}`).toBe(true);
    if (short !== undefined) expect(tells(MANUAL, `-${short}`), `-${short}`).toBe(true);
    if (env !== undefined) expect(tells(README, env), `${env} in README.md`).toBe(true);
    if (notInFile !== true) expect(tells(read("docs/configuration.md"), key), `${key} in docs/configuration.md`).toBe(true);
  });

  const sides = ["MAIN_DB_", "ARCHIVE_DB_"].flatMap((prefix) => ["HOST", "PORT", "USER", "PASSWORD", "NAME"].map((part) => prefix + part));
  const quoted = readSources("src").flatMap(({ text }) =>
    [...withoutComments(text).matchAll(/"(PG[A-Z_]+)"/g)].map((match) => match[1] ?? ""),
  );
  test.each([...new Set([...sides, ...quoted, "NO_COLOR", "FORCE_COLOR"])])("the variable %s, in README.md", (name) => {
    expect(tells(README, name)).toBe(true);
  });

  test.each(Object.entries(ERROR_CODES))("the error code %s and its exit code %d, in docs/exit-codes.md", (code, exit) => {
    const page = read("docs/exit-codes.md");
    expect(tells(page, code)).toBe(true);
    expect(tells(page, String(exit))).toBe(true);
    expect(tells(README, String(exit))).toBe(true);
  });

  const events = [...read("src/events.ts").matchAll(/\btype: "([a-z:]+)"/g)].map((match) => match[1] ?? "");
  test.each(events)("the event %s, in docs/events.md", (type) => {
    expect(events.length).toBeGreaterThan(10);
    expect(tells(read("docs/events.md"), type)).toBe(true);
  });

  test.each(["sync", "plan", "verify", "doctor", "export", "import", "cleanup", "constraints", "repair", "demo"])(
    "the command %s",
    (command) => {
      expect(tells(README, `pgditto ${command}`)).toBe(true);
    },
  );
});

describe("the documentation is whole", () => {
  const files = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...PAGES.map((name) => `docs/${name}`)];

  test.each(files)("every link of %s leads somewhere", (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g)];
    for (const [, path = "", anchor] of links) {
      const target = path === "" ? file : join(dirname(file), path);
      expect(existsSync(join(ROOT, target)), `${file} → ${path}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(target), `${file} → ${path}${anchor}`).toContain(anchor);
    }
  });

  test("every page is reached from README.md or from one that is", () => {
    const reached = new Set<string>(["README.md"]);
    for (const file of reached) {
      for (const [, path = ""] of read(file).matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g)) reached.add(join(dirname(file), path));
    }
    expect(files.filter((file) => !reached.has(file))).toEqual([]);
  });

  test("no file of the repository names somebody's machine", () => {
    const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0");
    const home = new RegExp(["", "home", "\\w+", ""].join("/"));
    const work = ["", "work", ""].join("/");
    const guilty = tracked
      .filter((path) => /\.(?:ts|mjs|md|json|yml|sh)$/.test(path) && path !== "package-lock.json" && existsSync(join(ROOT, path)))
      .filter((path) => home.test(read(path)) || read(path).includes(work));
    expect(guilty).toEqual([]);
  });
});

/** As GitHub makes them of headings. */
function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => {
    const plain = title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "");
    return `#${plain.replaceAll(" ", "-")}`;
  });
}
