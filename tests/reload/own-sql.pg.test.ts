import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { SqlStage } from "../../src/config/sql/stages.ts";
import { copy } from "../support/fidelity.ts";
import { salesPair } from "../support/reload.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reload-sql-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function file(stage: SqlStage, text: string): Promise<string> {
  const path = join(folder, `${stage}-${Math.random()}.sql`);
  await writeFile(path, text);
  return `${stage}=${path}`;
}

const look = (stage: SqlStage) =>
  `INSERT INTO notes SELECT '${stage}', (SELECT count(*) FROM customers), (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'orders'::regclass)`;

test("own SQL in a database that stays sees what belongs to its stage", async () => {
  await using pair = await salesPair({ target: "CREATE TABLE notes (stage text, customers int, keys int)" });
  const { source, target } = pair;
  const stages: SqlStage[] = ["before", "after-schema", "after-data", "after"];
  const sql = await Promise.all(stages.map((stage) => file(stage, look(stage))));
  const more = await file("after-data", "UPDATE customers SET name = 'nobody'");
  await copy(source, target, { mode: "truncate", tables: ["public.customers", "public.orders"], yes: true, sql: [...sql, more] });
  const [old] = await target.sql("SELECT customers FROM notes WHERE stage = 'before'");
  const [fresh] = await source.sql("SELECT count(*)::int AS customers FROM customers");
  expect(old).not.toEqual(fresh);
  expect(await target.sql("SELECT * FROM notes")).toEqual([
    { stage: "before", ...old, keys: 1 },
    { stage: "after-schema", ...old, keys: 0 },
    { stage: "after-data", ...fresh, keys: 0 },
    { stage: "after", ...fresh, keys: 1 },
  ]);
  expect(await target.sql("SELECT DISTINCT name FROM customers")).toEqual([{ name: "nobody" }]);
});

test("where it fails everything that was taken off is back", async () => {
  await using pair = await salesPair();
  const { source, target } = pair;
  const keys = "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1, conrelid";
  const before = await target.sql(keys);
  const options = { mode: "truncate", tables: ["public.customers", "public.orders"], yes: true } as const;
  const wrong = await file("after-data", "SELECT 1;\nSELECT nothing FROM customers");
  await expect(copy(source, target, { ...options, sql: [wrong] })).rejects.toMatchObject({ code: "sql", sqlstate: "42703", exitCode: 1 });
  expect(await target.sql(keys)).toEqual(before);
  expect(await target.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgditto'")).toEqual([]);
});

test("--atomic has it outside of its transaction", async () => {
  await using pair = await salesPair({ target: "CREATE TABLE notes (stage text, customers int, keys int)" });
  const { source, target } = pair;
  const sql = [await file("before", look("before")), await file("after", look("after"))];
  await copy(source, target, { mode: "truncate", atomic: true, tables: ["public.customers", "public.orders"], yes: true, sql });
  const [fresh] = await source.sql("SELECT count(*)::int AS customers FROM customers");
  expect(await target.sql("SELECT * FROM notes WHERE stage = 'after'")).toEqual([{ stage: "after", ...fresh, keys: 1 }]);
  const inside = await file("after-data", "SELECT 1");
  await expect(copy(source, target, { mode: "truncate", atomic: true, yes: true, sql: [inside] })).rejects.toMatchObject({ exitCode: 2 });
});
