import { expect, test } from "vitest";
import { freshDatabase } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { journaled, killedWhen, resume, settled, SLOW_ONCE } from "../support/resume.ts";
import { openSession, sql } from "../support/sql.ts";

// The source between the death of a run and the run that goes on. Whether a table was copied again is read from its file's number on the target:
// TRUNCATE gives it another one.

/** What somebody does to the table of that name, and whether it has to be copied again. */
const CHANGES: Readonly<Record<string, { change: string; again: boolean }>> = {
  nothing: { change: "SELECT", again: false },
  analyzed: { change: "VACUUM FREEZE analyzed; ANALYZE analyzed", again: false },
  row_locks: { change: "SELECT count(*) FROM (SELECT FROM row_locks FOR UPDATE) x", again: false },
  rolled_back: { change: "BEGIN; INSERT INTO rolled_back VALUES (-1, 'x'); DELETE FROM rolled_back WHERE id < 5; ROLLBACK", again: false },
  inserted: { change: "INSERT INTO inserted VALUES (-1, 'new')", again: true },
  updated: { change: "UPDATE updated SET body = 'other' WHERE id = 7", again: true },
  deleted: { change: "DELETE FROM deleted WHERE id = 7", again: true },
  exchanged: { change: "DELETE FROM exchanged WHERE id = 7; INSERT INTO exchanged VALUES (-7, 'same number of rows')", again: true },
  emptied: { change: "TRUNCATE emptied", again: true },
  refilled: { change: "TRUNCATE refilled; INSERT INTO refilled SELECT i, md5((-i)::text) FROM generate_series(1, 500) i", again: true },
  rewritten: { change: "VACUUM FULL rewritten", again: true },
  clustered: {
    change:
      "ALTER TABLE clustered REPLICA IDENTITY FULL; CLUSTER clustered USING clustered_pkey; ALTER TABLE clustered REPLICA IDENTITY DEFAULT; ALTER TABLE clustered SET WITHOUT CLUSTER",
    again: true,
  },
  savepoints: {
    change:
      "BEGIN; SAVEPOINT a; INSERT INTO savepoints VALUES (-1, 'x'); RELEASE a; SAVEPOINT b; DELETE FROM savepoints WHERE id = -1; COMMIT; BEGIN; SAVEPOINT c; UPDATE savepoints SET body = 'y' WHERE id = 3; RELEASE c; COMMIT",
    again: true,
  },
  // the same words in CREATE TABLE, another column
  column_again: { change: "ALTER TABLE column_again DROP COLUMN body; ALTER TABLE column_again ADD COLUMN body text", again: true },
};

const TABLES = Object.keys(CHANGES);

test("what has changed on the source since a run died is copied again, and nothing else", async () => {
  const make = (name: string) =>
    `CREATE TABLE ${name} (id int PRIMARY KEY, body text); INSERT INTO ${name} SELECT i, md5(i::text) FROM generate_series(1, 500) i;`;
  await using source = await freshDatabase("source", {
    sql: [
      SLOW_ONCE,
      ...[...TABLES, "open_before", "prepared_before", "open_savepoint"].map(make),
      // more than one connection's share of proofs
      "DO $$BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE TABLE many_%s AS SELECT i FROM generate_series(1, %s) i', i, i); END LOOP; END$$",
      "CREATE TABLE zz_slow (i int CHECK (slow_once(i, 0.02))); INSERT INTO zz_slow SELECT generate_series(1, 10000)",
    ],
  });
  await using target = await freshDatabase("target", { sql: "CREATE TABLE precious (n int)" });
  await settled(source);
  // transactions that were under way when the snapshot was taken
  await using open = await openSession(source.url);
  await open.query("BEGIN; INSERT INTO open_before VALUES (-1, 'open')");
  await using nested = await openSession(source.url);
  await nested.query("BEGIN; SAVEPOINT a; INSERT INTO open_savepoint VALUES (-1, 'open'); RELEASE a; SAVEPOINT b");
  await source.sql("BEGIN; INSERT INTO prepared_before VALUES (-1, 'prepared'); PREPARE TRANSACTION '" + source.name + "'");

  const all = TABLES.length + 3 + 60;
  const left = await killedWhen(source, target, async (staging) => (await journaled(staging, "copies")) === all, {
    args: ["--yes"],
    unsettled: true,
  });
  expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 0 }]);

  await open.query("COMMIT");
  await nested.query("INSERT INTO open_savepoint VALUES (-2, 'open'); RELEASE b; COMMIT");
  await source.sql(`COMMIT PREPARED '${source.name}'`);
  // one at a time: VACUUM cannot run among others
  for (const { change } of Object.values(CHANGES))
    for (const statement of change.startsWith("BEGIN") ? [change] : change.split("; ")) await source.sql(statement);
  const files = await filesOf(left.url);

  const { code, told, stderr } = await resume(source, target, ["--yes"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  await expectSame(source, target);
  const now = await filesOf(target.url);
  const again = [...files.keys()].filter((name) => files.get(name) !== now.get(name) && name !== "zz_slow");
  expect(again).toEqual([...TABLES.filter((name) => CHANGES[name]?.again), "open_before", "open_savepoint", "prepared_before"].toSorted());
  expect(told).toMatch(/Going on with run \w{10} in .*: of the 78 copies of this plan, 64 \(.*\) are there/);
});

/** By table: the number of its file. */
async function filesOf(url: string): Promise<Map<string, number>> {
  const rows = await sql(
    url,
    "SELECT relname AS name, relfilenode::int AS file FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  return new Map(rows.map((row) => [String(row["name"]), Number(row["file"])]));
}
