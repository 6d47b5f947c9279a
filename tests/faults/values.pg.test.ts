import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sync } from "../../src/index.ts";
import { dumpText } from "../support/dump-text.ts";
import { contents } from "../support/oracle.ts";
import { openSession, sql } from "../support/sql.ts";
import { attack } from "./attack.ts";
import { type Bench, openBench } from "./bench.ts";
import { FULL, TEST_MS } from "./form.ts";
import { expectPromises } from "./promises.ts";
import { randomDatabase } from "./random-database.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench("CREATE TABLE t (i int)");
});
afterAll(async () => await bench?.[Symbol.asyncDispose]());

/** Everything as pg_dump writes it, rows included; where none is installed, what SQL shows. */
async function everything(url: string): Promise<unknown> {
  return [await dumpText(url, ["--inserts", "--rows-per-insert=1"]), await contents(url)];
}

// row 18
test("random schemas, names and values arrive as they are", { timeout: TEST_MS }, async () => {
  const admin = bench.source.url("postgres");
  const seed = FULL ? Number(process.env["PGDITTO_FAULTS_SEED"] ?? Date.now() % 2 ** 31) : 20_261_122;
  if (FULL) console.log(`PGDITTO_FAULTS_SEED=${seed}`);
  const property = fc.asyncProperty(randomDatabase, async (statements) => {
    await sql(admin, "DROP DATABASE IF EXISTS random WITH (FORCE)");
    await sql(admin, "CREATE DATABASE random TEMPLATE template0");
    const source = bench.source.url("random");
    {
      await using session = await openSession(source);
      for (const statement of statements) await session.query(statement);
    }
    const before = await everything(source);
    await using trial = await bench.trial();
    await sync({ source, target: trial.url, yes: true, jobs: 2 });
    expect(await everything(trial.url)).toEqual(before);
  });
  await fc.assert(property, {
    seed,
    numRuns: FULL ? 300 : 4,
    interruptAfterTimeLimit: FULL ? 1_800_000 : 60_000,
    markInterruptAsFailure: true,
  });
  await sql(admin, "DROP DATABASE IF EXISTS random WITH (FORCE)");
});

test.skipIf(!FULL)("values of 200 MB, in binary and in text (in full form only: takes gigabytes)", { timeout: TEST_MS }, async () => {
  await using own = await openBench(`CREATE TYPE mood AS ENUM ('well');
    CREATE TABLE in_binary (i int, large text, raw bytea); CREATE TABLE in_text (moods mood[], large text, raw bytea);
    INSERT INTO in_binary SELECT 1, repeat(md5('x'), 6553600), decode(repeat(md5('y'), 13107200), 'hex');
    INSERT INTO in_text SELECT '{well}', large, raw FROM in_binary;`);
  await using trial = await own.trial();
  const outcome = await attack(trial, { limitMs: 600_000 });
  await expectPromises(trial, outcome, { exit: [0] });
  const sizes = await sql(
    trial.url,
    "SELECT length(large) AS l, length(raw) AS r FROM in_binary UNION ALL SELECT length(large), length(raw) FROM in_text",
  );
  expect(sizes).toEqual([1, 2].map(() => ({ l: 200 * 1024 * 1024, r: 200 * 1024 * 1024 })));
});
