import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { VERSION } from "../../src/index.ts";
import { readSources, ROOT, type SourceFile, withoutComments } from "./sources.ts";

const sources = readSources("src");

/** Files of this checkout that are written by hand, below `folder`. */
function longerThan(limit: number, files: readonly SourceFile[]): string[] {
  return files.filter(({ text }) => text.trimEnd().split("\n").length > limit).map(({ path }) => path);
}

function linesWith(pattern: RegExp, files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    withoutComments(text)
      .split("\n")
      .filter((line) => pattern.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
}

describe("the rules of the house", () => {
  test("a file has 250 lines at the most", () => {
    expect(longerThan(250, readSources("src", { tests: true }))).toEqual([]);
    expect(longerThan(250, readSources("tests/support"))).toEqual([]);
    expect(longerThan(250, readSources("tests/house", { tests: true }))).toEqual([]);
  });

  test("no default exports, no any, no enum, no silenced checker", () => {
    expect(linesWith(/^export default\b/, sources)).toEqual([]);
    expect(linesWith(/[:<|&(,]\s*any\b(?! of)|\bas any\b|\bany\[\]/, sources)).toEqual([]);
    expect(linesWith(/^\s*(?:export )?(?:const )?enum\s/, sources)).toEqual([]);
    expect(linesWith(/@ts-(?:ignore|expect-error|nocheck)|(?:ox|es)lint-disable/, raw(sources))).toEqual([]);
  });

  test("`process` belongs to the command line", () => {
    const users = sources.filter(({ path, text }) => !path.startsWith("cli/") && touchesProcess(text)).map(({ path }) => path);
    expect(users).toEqual([
      // a server can only be told to end by its process id
      "demo/kill-server.ts",
      // reads its own process id, a constant: it is told to the servers as the name of the session; and asks whether another process lives
      "sync/with-run.ts",
    ]);
  });

  test.each([
    ['import { pid } from "node:process";', true],
    ['import process from "process";', true],
    ["globalThis.process.exit(1);", true],
    ["const { env } = process;", true],
    ["/** what process.env holds */", false],
    ['const text = "process";', false],
    ['run("the process ends");', false],
  ])("%j touches process: %j", (text, touches) => {
    expect(touchesProcess(text)).toBe(touches);
  });

  test("the version is package.json's", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(VERSION).toBe(version);
  });

  test("the change log tells of this version", () => {
    expect(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8")).toContain(`## ${VERSION}`);
  });
});

function touchesProcess(text: string): boolean {
  const code = withoutComments(text);
  if (/from "(?:node:)?process"/.test(code)) return true;
  return /\bprocess\b/.test(code.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""').replaceAll(/`[^`]*`/g, "``"));
}

/** The checker is silenced in comments: they must not be taken away first. */
function raw(files: readonly SourceFile[]): SourceFile[] {
  return files.map(({ path, text }) => ({ path, text: text.replaceAll("//", "/ /").replaceAll("/*", "/ *") }));
}
