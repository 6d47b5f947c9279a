import { describe, expect, test } from "vitest";

import { isConnectionLoss, isTransient } from "./sqlstate.ts";

describe("isTransient", () => {
  test.each([
    "08000",
    "08006",
    "08003",
    "40001",
    "40P01",
    "53300",
    "55P03",
    "55006",
    "57P01",
    "57P02",
    "57P03",
    "57P05",
    "25P03",
    "25P04",
    "ECONNRESET",
    "ECONNREFUSED",
    "EPIPE",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "EAI_AGAIN",
  ])("%s passes by itself", (code) => {
    expect(isTransient(code)).toBe(true);
  });

  test.each([
    undefined,
    "",
    "08P01",
    "28P01",
    "28000",
    "3D000",
    "42501",
    "42601",
    "42P01",
    "23505",
    "53100",
    "53200",
    "57014",
    "XX000",
    "40000",
    "ENOTFOUND",
    "ENOENT",
    "EACCES",
    "CERT_HAS_EXPIRED",
  ])("%s does not", (code) => {
    expect(isTransient(code)).toBe(false);
  });
});

describe("isConnectionLoss", () => {
  test.each(["08006", "57P01", "57P02", "57P03", "25P03", "25P04", "ECONNRESET", "EPIPE"])("%s: the session is gone", (code) => {
    expect(isConnectionLoss(code)).toBe(true);
  });

  test.each([undefined, "40001", "40P01", "57014", "53300", "42501", "22000"])("%s: the session lives", (code) => {
    expect(isConnectionLoss(code)).toBe(false);
  });
});
