import { describe, expect, test } from "vitest";

import { chooseProgress } from "./progress.ts";

const TERMINAL = { json: false, terminal: true, env: { TERM: "xterm-256color" } };

describe("how progress is shown", () => {
  test.each([
    ["a terminal", TERMINAL, "tty"],
    ["a file or a pipe", { ...TERMINAL, terminal: false }, "none"],
    ["a terminal that moves no cursor", { ...TERMINAL, env: { TERM: "dumb" } }, "plain"],
    ["CI with a terminal", { ...TERMINAL, env: { CI: "true" } }, "plain"],
    ["CI without one", { ...TERMINAL, terminal: false, env: { CI: "1" } }, "none"],
    ["no CI after all", { ...TERMINAL, env: { CI: "false" } }, "tty"],
    ["--json", { ...TERMINAL, json: true }, "none"],
  ] as const)("on %s, when nothing is asked for", (_name, facts, mode) => {
    expect(chooseProgress(undefined, facts)).toBe(mode);
    expect(chooseProgress("auto", facts)).toBe(mode);
  });

  test.each(["plain", "none"] as const)("%s is what it is, wherever", (asked) => {
    for (const terminal of [true, false]) expect(chooseProgress(asked, { ...TERMINAL, terminal })).toBe(asked);
  });

  test("none goes with --json", () => {
    expect(chooseProgress("none", { ...TERMINAL, json: true })).toBe("none");
  });

  test.each([
    ["tty", { ...TERMINAL, terminal: false }, /terminal, and standard output is none/],
    ["tty", { ...TERMINAL, env: { TERM: "dumb" } }, /TERM is dumb/],
    ["tty", { ...TERMINAL, json: true }, /--json/],
    ["plain", { ...TERMINAL, json: true }, /--json/],
  ] as const)("%s is refused where it cannot be: %j", (asked, facts, message) => {
    expect(() => chooseProgress(asked, facts)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringMatching(message), hint: expect.any(String) }),
    );
  });
});
