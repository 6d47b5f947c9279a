import { describe, expect, it } from "vitest";

import { createErrorLines } from "./error-lines.ts";

function sift(text: string): string[] {
  const errors = createErrorLines();
  for (const character of text) errors.push(character);
  return errors.lines;
}

describe("createErrorLines", () => {
  it("keeps errors with what belongs to them, and none of the chatter", () => {
    const text = [
      "pg_dump: last built-in OID is 16383",
      'pg_dump: creating TABLE "public.a',
      'pg_dump: b"',
      "c",
      "pg_dump: error: query failed: ERROR:  syntax error",
      "LINE 1: SELECT",
      "pg_dump: detail: Query was: SELECT",
    ].join("\n");
    expect(sift(text)).toEqual([
      "pg_dump: error: query failed: ERROR:  syntax error",
      "LINE 1: SELECT",
      "pg_dump: detail: Query was: SELECT",
    ]);
  });

  it("keeps the words of a loader or wrapper", () => {
    expect(sift("pg_dump: symbol lookup failed\nError: no\n")).toEqual(["pg_dump: symbol lookup failed", "Error: no"]);
    expect(sift("/bin/pg_dump: error while loading shared libraries: libpq.so.5\n")).toHaveLength(1);
  });

  it("keeps the error and drops the tail of a long query", () => {
    const lines = sift(`pg_dump: error: no\npg_dump: detail: Query was: ${"SELECT\n".repeat(100)}`);
    expect(lines).toHaveLength(20);
    expect(lines[0]).toBe("pg_dump: error: no");
  });
});
