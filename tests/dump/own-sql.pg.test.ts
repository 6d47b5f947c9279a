import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { exportDump, importDump } from "../../src/index.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";
import { dumpPlace, hasPrograms, NO_PROGRAMS } from "../support/dumps.ts";
import { copy } from "../support/fidelity.ts";

beforeEach(async ({ skip }) => {
  if (!(await hasPrograms())) skip(NO_PROGRAMS);
});

const PEOPLE = "CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people SELECT n, 'n' || n FROM generate_series(1, 500) n";
const STAGES = {
  before: "CREATE TABLE notes (stage text, tables int, people int)",
  "after-schema": "INSERT INTO notes SELECT 'after-schema', count(*), (SELECT count(*) FROM people) FROM pg_class WHERE relname = 'people'",
  "after-data":
    "INSERT INTO notes SELECT 'after-data', (SELECT count(*) FROM pg_index WHERE indrelid = 'people'::regclass), count(*) FROM people; UPDATE people SET name = NULL",
  after: "INSERT INTO notes SELECT 'after', (SELECT count(*) FROM pg_index WHERE indrelid = 'people'::regclass), count(*) FROM people",
};

async function files(folder: string): Promise<string[]> {
  const pairs = Object.entries(STAGES).map(async ([stage, text]) => {
    await writeFile(join(folder, `${stage}.sql`), text);
    return `${stage}=${join(folder, `${stage}.sql`)}`;
  });
  return await Promise.all(pairs);
}

const NOTES = [
  { stage: "after-schema", tables: 1, people: 0 },
  // the key comes behind it
  { stage: "after-data", tables: 0, people: 500 },
  { stage: "after", tables: 1, people: 500 },
];

test("own SQL sees the same in a run through a dump folder as in any other, and in an import alone", async () => {
  await using source = await freshDatabase("source", { sql: PEOPLE });
  await using place = await dumpPlace();
  await using scripts = await dumpPlace();
  const sql = await files(scripts.path);
  {
    await using target = reservedDatabase("target");
    await copy(source, target, { via: "dump", cwd: place.path, sql });
    expect(await target.sql("SELECT * FROM notes")).toEqual(NOTES);
    expect(await target.sql("SELECT count(*)::int AS n FROM people WHERE name IS NULL")).toEqual([{ n: 500 }]);
  }
  await using target = reservedDatabase("target");
  await exportDump("people", { source: source.url, cwd: place.path });
  await importDump("people", { target: target.url, cwd: place.path, sql });
  expect(await target.sql("SELECT * FROM notes")).toEqual(NOTES);
  await expect(importDump("people", { target: target.url, cwd: place.path, mode: "truncate", yes: true })).rejects.toMatchObject({
    exitCode: 2,
  });
});
