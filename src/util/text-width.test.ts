import { describe, expect, test } from "vitest";

import { fitWidth, textWidth } from "./text-width.ts";

describe("columns on a terminal", () => {
  test.each([
    ["", 0],
    ["orders", 6],
    ["Größe", 5],
    ["Gro\u0308ße", 5],
    ["訂單", 4],
    ["주문", 4],
    ["ﾃﾞｰﾀ", 4],
    ["ｗｉｄｅ", 8],
    ["🚚", 2],
    ["❤️", 2],
    ["🇨🇭", 2],
    ["a\u200Db", 2],
  ])("%j takes %i", (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  test.each([
    ["orders", 8, "orders  "],
    ["orders", 6, "orders"],
    ["orders", 5, "orde…"],
    ["orders", 1, "…"],
    ["orders", 0, ""],
    ["", 3, "   "],
    // a character of two columns does not fit into one
    ["訂單表", 6, "訂單表"],
    ["訂單表", 5, "訂單…"],
    ["訂單表", 4, "訂… "],
    ["訂單表", 2, "… "],
    // what belongs together is not torn apart
    ["Größenordnung", 4, "Grö…"],
    ["Gro\u0308ßenordnung", 4, "Gro\u0308…"],
    ["👩🏽‍🚀 x", 4, "…   "],
  ])("%j in %i columns", (text, columns, fitted) => {
    expect(fitWidth(text, columns)).toBe(fitted);
  });
});
