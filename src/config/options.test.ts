import { describe, expect, expectTypeOf, test } from "vitest";

import type { EndpointOptions } from "./endpoint-options.ts";
import { COMMANDS } from "./option-spec.ts";
import { FILE_KEYS, OPTION_KEYS, OPTIONS, specOf } from "./options.ts";
import type { CliFlags } from "./pgditto-options.ts";

type Row = (typeof OPTIONS)[keyof typeof OPTIONS];
type TypeOf<S extends Row> = S extends { type: "endpoint" }
  ? string | EndpointOptions
  : S extends { type: "integer" | "count" }
    ? number
    : S extends { type: "boolean" }
      ? boolean
      : S extends { type: "names" | "pairs" }
        ? readonly string[]
        : S extends { choices: readonly (infer C)[] }
          ? C
          : string;

describe("the table of options", () => {
  test("has exactly the keys and types of the documented interface", () => {
    expectTypeOf<{ -readonly [K in keyof typeof OPTIONS]?: TypeOf<(typeof OPTIONS)[K]> | undefined }>().toEqualTypeOf<CliFlags>();
  });

  test("uses no flag, short flag or variable twice", () => {
    const specs = OPTION_KEYS.map(specOf);
    for (const words of [
      [...specs.flatMap((spec) => [spec.flag, ...(spec.aliases ?? [])]), "help", "version"],
      [...specs.flatMap((spec) => spec.short ?? []), "h", "V"],
      specs.flatMap((spec) => spec.env ?? []),
    ]) {
      expect(words.toSorted()).toEqual([...new Set(words)].toSorted());
    }
  });

  test.each(OPTION_KEYS)("%s has a default inside its limits and belongs to a command", (key) => {
    const spec = specOf(key);
    expect(spec.commands.length).toBeGreaterThan(0);
    if (spec.type === "integer") expect(spec.default).toSatisfy((n: number) => n >= spec.min && n <= spec.max);
    if (spec.type === "choice")
      expect("default" in spec ? spec.choices : ["counts; of the command verify: checksum"]).toContain(
        "default" in spec ? spec.default : spec.fallback,
      );
  });

  test("gives cleanup and demo only what they take", () => {
    const of = (command: (typeof COMMANDS)[number]): string[] => OPTION_KEYS.filter((key) => specOf(key).commands.includes(command));
    expect(of("cleanup")).toEqual(["target", "yes", "dumpDir", "json", "config"]);
    expect(of("repair")).toEqual(["target", "connectTimeout", "jobs", "retryCount", "yes", "json", "config"]);
    expect(of("demo")).toEqual(["progress", "keep"]);
    expect(of("plan")).toEqual(of("sync"));
  });

  test("keeps what belongs to one call out of the config file", () => {
    expect(OPTION_KEYS.filter((key) => !FILE_KEYS.includes(key))).toEqual([
      "kinds",
      "save",
      "dryRun",
      "resume",
      "json",
      "profile",
      "progress",
      "config",
      "keep",
    ]);
  });
});
