import { expect, test } from "vitest";
import { SLOW } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { copy, expectSame } from "../support/fidelity.ts";

// ADD FOREIGN KEY on a partitioned table takes a partition's own key for its part of the new one where both say the same: then the copy has one less.
test("a partition's own foreign key beside one of the whole table, however long the table is busy", async () => {
  await using source = await freshDatabase("source", {
    sql: `${SLOW} CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers VALUES (1);
      CREATE TABLE p (k int, c int REFERENCES customers) PARTITION BY LIST (k);
      CREATE TABLE busy PARTITION OF p FOR VALUES IN (1); CREATE TABLE leaf PARTITION OF p FOR VALUES IN (2);
      ALTER TABLE leaf ADD CONSTRAINT own FOREIGN KEY (c) REFERENCES customers; INSERT INTO p VALUES (1, 1), (2, 1);
      CREATE INDEX slow_index ON busy (slow(k, 0.5));`,
  });
  await using target = reservedDatabase("target");
  const keys =
    "SELECT conname, conrelid::regclass::text AS on, conparentid = 0 AS own FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2, 3";
  await copy(source, target);
  expect(await target.sql(keys)).toEqual(await source.sql(keys));
  await expectSame(source, target);
});
