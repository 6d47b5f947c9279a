import { describe, expect, test } from "vitest";

import { keepAliveOf } from "./keepalive.ts";
import type { Given, ParameterName } from "./parameters.ts";

const asked = (values: Partial<Record<ParameterName, string>>): number | false | undefined =>
  keepAliveOf((name): Given | undefined => {
    const value = values[name];
    return value === undefined ? undefined : { value, origin: { code: "usage", name } };
  });

describe("libpq's keepalive parameters", () => {
  test.each([
    [{}, undefined],
    [{ keepalives: "1" }, undefined],
    [{ keepalives: "0" }, false],
    [{ keepalives: "0", keepalives_idle: "7" }, false],
    [{ keepalives_idle: "45" }, 45_000],
    [{ keepalives_idle: "0" }, 0],
  ])("%j is %j", (values, wanted) => {
    expect(asked(values)).toBe(wanted);
  });

  test.each([{ keepalives: "yes" }, { keepalives_idle: "-1" }, { keepalives_idle: "1e3" }])("%j is refused", (values) => {
    expect(() => asked(values)).toThrow(/not a whole number/);
  });
});
