import { describe, expect, test } from "vitest";

import { PgdittoError } from "../errors.ts";
import { splitNames } from "./name-list.ts";
import { checkOption, parseOption } from "./option-value.ts";
import type { OptionKey } from "./options.ts";

const PG_JOBS = { code: "usage", name: "PG_JOBS" } as const;

/** The error that `act` throws; fails the test when it throws none, or another kind. */
function errorOf(act: () => unknown): PgdittoError {
  try {
    act();
  } catch (error) {
    if (error instanceof PgdittoError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("integers", () => {
  test.each([
    ["1", 1],
    ["08", 8],
    [" 12 ", 12],
    ["1000", 1000],
  ])("%j is read", (text, value) => {
    expect(parseOption("jobs", text, PG_JOBS, "environment")).toBe(value);
  });

  test.each([
    ["abc", 'PG_JOBS: "abc" is not a whole number.'],
    ["0", "PG_JOBS: 0 is less than 1."],
    ["-1", "PG_JOBS: -1 is less than 1."],
    ["1001", "PG_JOBS: 1001 is more than 1000."],
    ["99999999999999999999", "PG_JOBS: 100000000000000000000 is more than 1000."],
    ["4.5", 'PG_JOBS: "4.5" is not a whole number.'],
    ["4x", 'PG_JOBS: "4x" is not a whole number.'],
    ["0x10", 'PG_JOBS: "0x10" is not a whole number.'],
    ["1e3", 'PG_JOBS: "1e3" is not a whole number.'],
    ["+4", 'PG_JOBS: "+4" is not a whole number.'],
    [" ", 'PG_JOBS: " " is not a whole number.'],
  ])("%j is refused", (text, message) => {
    const error = errorOf(() => parseOption("jobs", text, PG_JOBS, "environment"));
    expect(error).toMatchObject({ code: "usage", object: "PG_JOBS", message, exitCode: 2 });
    expect(error.hint).toContain("from 1 to 1000");
  });

  test("a retry count of 0 would be no attempt at all", () => {
    expect(errorOf(() => parseOption("retryCount", "0", { code: "usage", name: "RETRY_COUNT" }, "environment")).message).toBe(
      "RETRY_COUNT: 0 is less than 1.",
    );
  });
});

describe("values of a file or a caller", () => {
  test.each<[OptionKey, unknown, string]>([
    ["jobs", "4", '"4" is not a whole number'],
    ["jobs", 4.5, "4.5 is not a whole number"],
    ["jobs", Number.NaN, "is not a whole number"],
    ["jobs", null, "null is not a whole number"],
    ["batchSize", 0, "0 is less than 1"],
    ["mode", "stagging", '"stagging" is not one of staging, recreate, truncate'],
    ["mode", 1, "1 is not one of staging, recreate, truncate"],
    ["pgDump", "docker", '"docker" is not one of auto, native, wasm'],
    ["tables", "orders", "the value is a string, not a list"],
    ["tables", ["orders", 1], "the value is a number, not a string"],
    ["tables", [" "], "the value is empty"],
    ["dumpDir", "", "the value is empty"],
    ["dumpDir", "a\0b", "holds a NUL character"],
    ["pgBin", ["/usr/bin"], "the value is a list, not a string"],
    ["yes", "true", "the value is a string, not true or false"],
    ["source", 5432, "the value is a number, not a connection"],
    ["source", ["x"], "the value is a list, not a connection"],
    ["source", null, "the value is null, not a connection"],
  ])("%s: %j is refused", (key, value, reason) => {
    const error = errorOf(() => checkOption(key, value, { code: "config", name: `here: ${key}` }));
    expect(error).toMatchObject({ code: "config", object: `here: ${key}` });
    expect(error.message).toContain(reason);
    expect(error.hint).toBeTruthy();
  });

  test("a near choice is offered", () => {
    expect(errorOf(() => checkOption("mode", "recrate", { code: "usage", name: "--mode" })).hint).toBe("Did you mean recreate?");
  });

  test.each<[OptionKey, unknown]>([
    ["jobs", 1000],
    ["mode", "recreate"],
    ["tables", []],
    ["tables", ['public."Order Items"']],
    ["yes", false],
    ["source", { host: "db1" }],
  ])("%s: %j passes as it is", (key, value) => {
    expect(checkOption(key, value, { code: "config", name: key })).toBe(value);
  });

  test("a boolean flag takes =true and =false only", () => {
    const origin = { code: "usage", name: "--yes" } as const;
    expect([parseOption("yes", "true", origin, "flag"), parseOption("yes", "false", origin, "flag")]).toEqual([true, false]);
    expect(errorOf(() => parseOption("yes", "1", origin, "flag")).message).toBe('--yes: "1" is neither true nor false.');
  });
});

describe("CORE_TABLES", () => {
  const origin = { code: "usage", name: "CORE_TABLES" } as const;

  test.each([
    ["orders", ["orders"]],
    ["orders,customers", ["orders", "customers"]],
    ["orders customers", ["orders", "customers"]],
    [" orders ,\tcustomers,\n products, ", ["orders", "customers", "products"]],
    ['public."Order Items",x', ['public."Order Items"', "x"]],
    ['"a,b" "c d".e', ['"a,b"', '"c d".e']],
    ['"say ""hi"", twice"', ['"say ""hi"", twice"']],
    ["public.o* größe", ["public.o*", "größe"]],
  ])("%j", (text, names) => {
    expect(splitNames(text, origin)).toEqual(names);
    expect(parseOption("tables", text, origin, "environment")).toEqual(names);
  });

  test.each([
    [" , ", "there is no name in it"],
    ['orders "Order Items', "a double quote is not closed"],
  ])("%j is refused", (text, reason) => {
    expect(errorOf(() => splitNames(text, origin)).message).toBe(`CORE_TABLES: ${reason}.`);
  });

  test("a flag's value is one pattern, whatever it holds", () => {
    expect(parseOption("tables", "a, b", { code: "usage", name: "-t" }, "flag")).toEqual(["a, b"]);
  });
});
