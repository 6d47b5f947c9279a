import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plan, type RunOptions } from "../../src/index.ts";
import { freshDatabase, type FreshDatabase, reservedDatabase } from "../support/databases.ts";
import { dumpText } from "../support/dump-text.ts";
import { copy, databasesLike, sameMajor, schemaText, warningCodes } from "../support/fidelity.ts";
import { tableChecksums } from "../support/oracle.ts";
import { runCli } from "../support/run-cli.ts";

const SCHEMA = `
  CREATE SCHEMA "Archive 2"; CREATE SCHEMA other;
  CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE "Orders" (id int PRIMARY KEY); CREATE TABLE other.orders (id int PRIMARY KEY); CREATE TABLE "Archive 2".orders (id int);
  CREATE TABLE order_items (id int PRIMARY KEY, order_id int REFERENCES orders, other_id int REFERENCES other.orders); CREATE TABLE "order.items" (id int); CREATE TABLE "order$" (id int); CREATE TABLE "a""b" (id int); CREATE TABLE big (id int);
  CREATE TABLE parts (id int, k int) PARTITION BY LIST (k); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1) PARTITION BY RANGE (id); CREATE TABLE other.parts_1_a PARTITION OF parts_1 FOR VALUES FROM (0) TO (50); CREATE TABLE "Archive 2".parts_1_b PARTITION OF parts_1 DEFAULT; CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
  CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
  INSERT INTO orders SELECT generate_series(1, 10); INSERT INTO "Orders" SELECT generate_series(1, 11); INSERT INTO other.orders SELECT generate_series(1, 12); INSERT INTO "Archive 2".orders SELECT generate_series(1, 13);
  INSERT INTO order_items SELECT n, n, n FROM generate_series(1, 10) n; INSERT INTO "order.items" VALUES (1); INSERT INTO "order$" VALUES (1); INSERT INTO "a""b" VALUES (1); INSERT INTO big SELECT generate_series(1, 5);
  INSERT INTO parts SELECT n, n % 2 + 1 FROM generate_series(1, 100) n; INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);
  CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM orders; CREATE SEQUENCE seq; SELECT setval('seq', 5);`;

let source: FreshDatabase;
beforeAll(async () => {
  source = await freshDatabase("source", { sql: SCHEMA });
});
afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
});

const QUOTED = /"((?:[^"]|"")*)"/g;
const unquote = (_: string, inner: string): string => inner.replaceAll('""', '"');

/** The tables whose rows a copy with these options holds. */
async function rowsOf(url: string): Promise<string[]> {
  const tables = await tableChecksums(url);
  return Object.entries(tables)
    .filter(([name, { rows }]) => rows > 0 && name !== "public.mv")
    .map(([name]) => name)
    .sort();
}

/** What pg_dump itself would take, from its own script. */
async function rowsOfPgDump(args: readonly string[]): Promise<string[] | undefined> {
  const text = await dumpText(source.url, ["--data-only", ...args]);
  if (text === undefined) return undefined;
  return [...text.matchAll(/^COPY (.*?) \(.*\) FROM stdin;$/gm)].map(([, name]) => String(name).replaceAll(QUOTED, unquote)).sort();
}

describe("patterns select what pg_dump selects", () => {
  // Each with every partition brought along, which pg_dump does for neither -t nor -T before 16.
  test.each<[string, readonly string[], Omit<RunOptions, "source" | "target">]>([
    ["a name on the search path", ["-t", "orders"], { tables: ["orders"] }],
    ["schema and name", ["-t", "other.orders"], { tables: ["other.orders"] }],
    ["wildcards", ["-t", "o*.order*"], { tables: ["o*.order*"] }],
    ["upper case without quotes", ["-t", "ORDERS"], { tables: ["ORDERS"] }],
    ["quotes", ["-t", '"Orders"', "-t", '"order.items"', "-t", '"a""b"'], { tables: ['"Orders"', '"order.items"', '"a""b"'] }],
    [
      "a dollar, a question mark, a class",
      ["-t", "order$", "-t", "?ig", "-t", "*.[cp][ha]*d"],
      { tables: ["order$", "?ig", "*.[cp][ha]*d"] },
    ],
    ["a schema", ["-n", "other"], { schemas: ["other"] }],
    ["a schema in quotes, and a pattern", ["-n", '"Archive 2"', "-n", "oth*"], { schemas: ['"Archive 2"', "oth*"] }],
    ["not these tables", ["-T", "order*", "-T", "*.parts*"], { excludeTables: ["order*", "*.parts*"] }],
    ["not this schema", ["-N", "public", "-N", "other"], { excludeSchemas: ["public", "other"] }],
    ["both ways", ["-t", "*.orders", "-T", "other.*"], { tables: ["*.orders"], excludeTables: ["other.*"] }],
    ["-t makes -n idle", ["-t", "big", "-n", "other"], { tables: ["big"], schemas: ["other"] }],
    ["alternatives", ["-t", "(big|child)"], { tables: ["(big|child)"] }],
  ])("%s", async (_, args, options) => {
    const expected = await rowsOfPgDump(args);
    if (expected === undefined) return;
    expect(expected.length).toBeGreaterThan(0);
    await using target = reservedDatabase("target");
    const { tables } = await plan({ source: source.url, target: target.url, ...options });
    const quoted = tables.map(({ table }) => table);
    expect(quoted.map((name) => name.replaceAll(QUOTED, unquote)).sort()).toEqual(expected);
  });
});

describe("a selection", () => {
  test("brings the partitions of a partitioned table, whatever schema they lie in; the schema is there whole, sequences too", async () => {
    await using target = reservedDatabase("target");
    const { result, events } = await copy(source, target, { tables: ["parts"] });
    expect(await rowsOf(target.url)).toEqual(["Archive 2.parts_1_b", "other.parts_1_a", "public.parts_2"]);
    expect(result.rows).toBe(100);
    if (sameMajor()) expect(await schemaText(target.url)).toBe(await schemaText(source.url));
    expect(await target.sql("SELECT last_value FROM seq")).toEqual([{ last_value: "5" }]);
    expect(warningCodes(events)).toEqual([]);
    await copy(source, target, { excludeTables: ["public.parts_1"] });
    expect(await rowsOf(target.url)).toContain("public.parts_2");
    expect(await rowsOf(target.url)).not.toContain("other.parts_1_a");
  });

  test("makes foreign keys into what was left out NOT VALID, says so, and leaves the others alone", async () => {
    await using target = reservedDatabase("target");
    const { events } = await copy(source, target, { tables: ["order_items", "orders"] });
    expect(warningCodes(events)).toEqual(["foreign-key-not-valid"]);
    expect(await target.sql("SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1")).toEqual([
      { conname: "order_items_order_id_fkey", convalidated: true },
      { conname: "order_items_other_id_fkey", convalidated: false },
    ]);
    await expect(target.sql("INSERT INTO order_items VALUES (99, 1, 99)")).rejects.toMatchObject({ code: "23503" });
  });

  test("tells equal names in two schemas apart", async () => {
    await using target = reservedDatabase("target");
    const { result } = await copy(source, target, { tables: ["other.orders", '"Archive 2".orders'] });
    expect(result.tables.map(({ schema, name, rows }) => `${schema} ${name} ${rows}`).sort()).toEqual([
      "Archive 2 orders 13",
      "other orders 12",
    ]);
  });

  test.each([
    ["ordres", "orders"],
    ["nowhere.orders", "orders"],
    ["parts_1_a", "other.parts_1_a"],
  ])("that matches nothing (%s) ends with 2 and the nearest name", async (pattern, near) => {
    await using target = reservedDatabase("target");
    await expect(copy(source, target, { tables: [pattern] })).rejects.toMatchObject({
      code: "no-match",
      exitCode: 2,
      object: pattern,
      hint: expect.stringContaining(near),
    });
    expect(await databasesLike(target)).toEqual([]);
  });

  test("on the command line: CORE_TABLES with commas and spaces, flags before the environment, exit 2 for no match", async () => {
    await using target = reservedDatabase("target");
    const env = { MAIN_DB_URL: source.url, ARCHIVE_DB_URL: target.url };
    const first = await runCli(["sync"], { env: { ...env, CORE_TABLES: ' orders, "Orders"  other.orders' } });
    expect(first.code, first.stderr).toBe(0);
    expect(await rowsOf(target.url)).toEqual(["other.orders", "public.Orders", "public.orders"]);
    const second = await runCli(["-t", "big"], { env: { ...env, CORE_TABLES: "orders" } });
    expect(second.code, second.stderr).toBe(0);
    expect(await rowsOf(target.url)).toEqual(["public.big"]);
    const third = await runCli(["sync"], { env: { ...env, CORE_TABLES: "orders,bgi" } });
    expect(third.code).toBe(2);
    expect(third.stderr).toContain("bgi");
    expect(third.stderr).toContain("big");
    expect(await rowsOf(target.url)).toEqual(["public.big"]);
  });

  test("of the search path that the role has in this database", async () => {
    await using own = await freshDatabase("source", { sql: SCHEMA });
    await own.sql(`ALTER DATABASE ${own.name} SET search_path = other, pg_catalog`);
    await using target = reservedDatabase("target");
    await copy(own, target, { tables: ["orders"] });
    expect(await rowsOf(target.url)).toEqual(["other.orders"]);
    await expect(copy(own, target, { tables: ["big"] })).rejects.toMatchObject({
      code: "no-match",
      hint: expect.stringContaining("public.big"),
    });
  });
});
