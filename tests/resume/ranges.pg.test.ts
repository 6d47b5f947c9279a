import { describe, expect, test } from "vitest";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { journaled, killedWhen, resume, SLOW_ONCE } from "../support/resume.ts";
import { server } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** A name of this machine that pgditto does not take for it, as if the servers had cores of their own. */
const elsewhere = (url: string): string => url.replace("127.0.0.1", "0177.0.0.1");

/** Some 280 MB, most of it TOAST, which goes in two ranges of blocks; and a table that keeps the run from ending. */
const LARGE = `${SLOW_ONCE}
  CREATE TABLE large (id int, n int, body text); ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
  INSERT INTO large SELECT i, i % 7, repeat(md5(i::text), 700) FROM generate_series(1, 12500) i;
  CREATE TABLE slow (id int CHECK (slow_once(id, 1))); INSERT INTO slow SELECT generate_series(1, 100);`;

describe("a table that was copied in ranges", () => {
  test.runIf(server("source").major >= 14).each([
    [
      "a range whose rows are the same stays, and of the other no row is there twice",
      "INSERT INTO large VALUES (-1, 0, 'behind all others')",
      1,
    ],
    ["of a row that moved to another range, no second one is left behind", "UPDATE large SET n = -1 WHERE id = 5", 0],
  ])("%s", async (_what, change, stay) => {
    await using source = await freshDatabase("source", { sql: LARGE });
    await using target = reservedDatabase("target");
    const there = { url: elsewhere(source.url) };
    const here = { url: elsewhere(target.url), name: target.name };
    const left = await killedWhen(there, here, async (staging) => (await journaled(staging, "copies")) === 2, { args: ["--jobs", "3"] });
    const writers = (await sql(left.url, "SELECT DISTINCT xmin::text AS xmin FROM large")).map((row) => row["xmin"]);
    expect(writers, "two transactions").toHaveLength(2);
    await source.sql(change);
    const resumed = await resume(there, here, ["--jobs", "3"]);
    expect(resumed.stderr).toBe("");
    expect(resumed.code).toBe(0);
    expect(resumed.told).toMatch(/Copied again: public\.large: rows were/);
    await expectSame(source, target);
    const now = await sql(target.url, "SELECT DISTINCT xmin::text AS xmin FROM large");
    expect(now.filter((row) => writers.includes(row["xmin"]))).toHaveLength(stay);
  });
});
