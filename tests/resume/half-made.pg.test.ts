import { expect, test } from "vitest";
import { until } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { journaled, killedWhen, resume, SLOW_ONCE } from "../support/resume.ts";
import { sql } from "../support/sql.ts";

// A large table's primary key is made in two steps: its index beside the others, the constraint when all are there.

test.each([
  ["the next plan makes it in two steps too: the index stays", "SELECT", "the same"],
  ["the next plan makes it in one step: the index is made again", "DELETE FROM big WHERE id > 1000", "another"],
])("a key of which only the index was there; %s", async (_what, change, index) => {
  await using source = await freshDatabase("source", {
    sql: [
      SLOW_ONCE,
      `CREATE TABLE big (id int PRIMARY KEY, body text); ALTER TABLE big ALTER body SET STORAGE PLAIN;
       INSERT INTO big SELECT i, repeat('x', 4000) FROM generate_series(1, 9000) i; CREATE INDEX big_slow ON big (slow_once(id, 0.01))`,
    ],
  });
  await using target = reservedDatabase("target");
  const left = await killedWhen(source, target, async (staging) => (await journaled(staging, "applied", "entry LIKE '%/1'")) === 1);
  const oidOf = async (url: string): Promise<unknown> =>
    (await sql(url, "SELECT oid::text AS oid FROM pg_class WHERE relname = 'big_pkey'"))[0]?.["oid"];
  const before = await oidOf(left.url);
  expect(before).toBeDefined();
  await source.sql(change);
  if (change !== "SELECT") {
    // the dead run's sessions may still see what was deleted
    await until(async () => {
      await source.sql("VACUUM FULL big");
      const [row] = await source.sql("SELECT pg_table_size('big') < 16 * 1024 * 1024 AS small");
      return row?.["small"] === true;
    });
  }
  const { code, stderr } = await resume(source, target);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect((await oidOf(target.url)) === before ? "the same" : "another").toBe(index);
  await expectSame(source, target);
});
