import { describe, expect, test } from "vitest";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { journaled, killedWhen, resume, SLOW_ONCE } from "../support/resume.ts";
import { server } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** A name of this machine that pgditto does not take for it, as if the servers had cores of their own. */
const elsewhere = (url: string): string => url.replace("127.0.0.1", "0177.0.0.1");

// Some 280 MB, most of it TOAST, in ranges of blocks; those behind the first take their time in the run that dies.
const LARGE = `${SLOW_ONCE}
  CREATE TABLE large (id int, n int, body text, CHECK (id < 7500 OR slow_once(id, 0.02))); ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
  INSERT INTO large SELECT i, i % 7, repeat(md5(i::text), 700) FROM generate_series(1, 12500) i;`;

describe("a table of which some ranges were copied", () => {
  test.runIf(server("source").major >= 14).each([
    ["a range whose rows are the same stays", "INSERT INTO large VALUES (-1, 0, 'behind all others')", / 1 \(.*\) are there/, "kept"],
    [
      "of a row that moved to another range, no second one is left behind",
      "UPDATE large SET n = -1 WHERE id = 5",
      / 0 \(.*Copied again: public\.large: rows were/,
      "gone",
    ],
    [
      "rows that were deleted do not come back",
      "DELETE FROM large WHERE id % 1000 = 5",
      / 0 \(.*Copied again: public\.large: rows were deleted/,
      "gone",
    ],
  ])("%s", async (_what, change, told, fate) => {
    await using source = await freshDatabase("source", { sql: LARGE });
    await using target = reservedDatabase("target");
    const there = { url: elsewhere(source.url) };
    const here = { url: elsewhere(target.url), name: target.name };
    const left = await killedWhen(there, here, async (staging) => (await journaled(staging, "copies", "id ~ '/0-'")) === 1, {
      args: ["--jobs", "3"],
    });
    expect(await journaled(left, "copies"), "a part of it").toBe(1);
    const writers = await sql(left.url, "SELECT DISTINCT xmin::text AS xmin FROM large");
    expect(writers).toHaveLength(1);
    await source.sql(change);
    const resumed = await resume(there, here, ["--jobs", "3"]);
    expect(resumed.stderr).toBe("");
    expect(resumed.code).toBe(0);
    expect(resumed.told).toMatch(told);
    await expectSame(source, target);
    const [first] = await target.sql("SELECT count(*)::int AS n FROM large WHERE xmin::text = $1", [writers[0]?.["xmin"]]);
    expect(Number(first?.["n"]) > 0 ? "kept" : "gone").toBe(fate);
  });
});
