import { describe, expect, it } from "vitest";

import { choosePgDump, type FoundPgDump, type PgDumpChoice } from "./choose-pg-dump.ts";

const at = (version: number, named = false): FoundPgDump => ({
  path: `/usr/lib/postgresql/${Math.floor(version / 10_000)}/bin/pg_dump`,
  version,
  named,
});

function choose(versions: readonly (number | FoundPgDump)[], sourceVersion: number, targetVersion?: number, choice: PgDumpChoice = "auto") {
  const found = versions.map((one) => (typeof one === "number" ? at(one) : one));
  return choosePgDump({ choice, found, platform: "linux", sourceVersion, targetVersion });
}

describe("choosePgDump", () => {
  it.each([
    { why: "the source's own major", found: [140_024, 150_020, 160_015], source: 150_018, target: 150_018, is: 150_020 },
    { why: "never older than the source", found: [140_024, 160_015], source: 150_018, target: 150_018, is: 160_015 },
    { why: "the newest up to the target", found: [150_020, 160_015, 170_011, 180_006], source: 150_018, target: 170_000, is: 170_011 },
    { why: "the least newer one when none is below the ceiling", found: [180_006, 170_011], source: 150_018, target: 160_000, is: 170_011 },
    { why: "an older target does not lower the source's need", found: [140_024, 170_011], source: 170_000, target: 140_000, is: 170_011 },
    { why: "the newest minor of one major", found: [150_018, 150_020, 150_019], source: 150_020, target: undefined, is: 150_020 },
    { why: "an older minor of the same major suits", found: [150_002], source: 150_018, target: 150_018, is: 150_002 },
  ])("takes $why", ({ found, source, target, is }) => {
    const program = choose(found, source, target);
    expect(program).toMatchObject({ kind: "native", version: is });
    expect(program.note).toBeUndefined();
  });

  it("takes the one that PGDITTO_PG_BIN names when it suits, and says so when it does not", () => {
    expect(choose([150_020, at(180_006, true)], 150_018, 150_018)).toMatchObject({ version: 180_006 });
    const program = choose([170_011, at(150_020, true)], 170_000);
    expect(program.version).toBe(170_011);
    expect(program.note).toMatch(/PGDITTO_PG_BIN's pg_dump 15\.20 is older than server 17; using pg_dump 17\.11/);
  });

  it("falls back to the built-in one and says why", () => {
    const program = choose([150_018], 170_004, 170_004);
    expect(program).toMatchObject({ kind: "wasm", version: 180_003, versionText: "18.3" });
    expect(program.note).toBe(
      "No native pg_dump suits server 17 (found 15.18 in /usr/lib/postgresql/15/bin); using the built-in WASM pg_dump 18.3",
    );
    expect(choose([], 150_018).note).toContain("(none found)");
  });

  it("takes the built-in one without a note when asked to", () => {
    const program = choose([150_020], 150_018, undefined, "wasm");
    expect(program).toMatchObject({ kind: "wasm", note: undefined });
    expect(program.warning).toMatch(/18\.3 lacks the security fixes of 18\.6/);
  });

  it("names what was found, the package and the way out when a native one is wanted and none suits", () => {
    expect(() => choose([150_018], 170_004, undefined, "native")).toThrow(
      expect.objectContaining({
        code: "dump",
        message: "No native pg_dump suits server 17.4: found 15.18 in /usr/lib/postgresql/15/bin.",
        hint: expect.stringMatching(/apt-get install postgresql-client-17 .*--pg-dump wasm/),
      }),
    );
  });

  it.each(["auto", "wasm"] as const)("has nothing for a server newer than the built-in one (%s)", (choice) => {
    expect(() => choose([180_006], 190_000, undefined, choice)).toThrow(
      expect.objectContaining({ code: "dump", hint: expect.not.stringContaining("--pg-dump wasm") }),
    );
  });

  it.each([
    [140_023, 140_024],
    [150_018, 150_019],
    [160_014, 160_015],
    [170_010, 170_011],
    [180_005, 180_006],
  ])("warns of %i and not of %i", (unsafe, safe) => {
    expect(choose([unsafe], unsafe).warning).toContain(`apt-get install postgresql-client-${Math.floor(unsafe / 10_000)}`);
    expect(choose([safe], safe).warning).toBeUndefined();
  });
});
