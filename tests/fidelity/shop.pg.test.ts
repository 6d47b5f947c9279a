import { describe, expect, test } from "vitest";
import { freshDatabase, freshShop, reservedDatabase, uniqueName } from "../support/databases.ts";
import { copy, expectSame, warningCodes } from "../support/fidelity.ts";
import { createTestRoles, dropTestRoles, fillRolesAndGrants } from "../support/roles.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

describe("the shop arrives whole", () => {
  test.each(["auto", "wasm"] as const)("with pg_dump: %s", async (pgDump) => {
    await using source = await freshShop("source");
    await using target = reservedDatabase("target");
    const { result, events } = await copy(source, target, { pgDump });
    await expectSame(source, target);
    expect(warningCodes(events)).toEqual([]);
    expect(result.tables.find((table) => table.schema === "archive" && table.name === "orders")?.rows).toBe(100);
  });

  test("over one connection, and with large values, large objects and a table above the freezing size", async () => {
    await using source = await freshShop("source");
    await source.sql(`
      SELECT lo_from_bytea(500001, (SELECT string_agg(sha512(n::text::bytea), '') FROM generate_series(1, 150000) n));
      SELECT lo_create(500002), lo_put(500002, 9000000, 'end');
      SELECT lo_from_bytea(500003, decode(repeat('5c2e0a', 21845), 'hex') || '\\x00'), lo_from_bytea(500004, decode(repeat('ab', 65537), 'hex'));
      COMMENT ON LARGE OBJECT 500001 IS 'nine megabytes';
      CREATE TABLE public.large AS SELECT n AS id, md5(n::text) AS a, repeat(md5(n::text), 10) AS b FROM generate_series(1, 20000) n;
      ALTER TABLE public.large ADD PRIMARY KEY (id);
      CREATE INDEX ON public.large (lower(a));
    `);
    await using target = reservedDatabase("target");
    await copy(source, target, { jobs: 1 });
    await expectSame(source, target);
  });

  test("with owners, privileges, default privileges and the database's own properties", async () => {
    const prefix = uniqueName("pgditto_test");
    try {
      await using source = await freshShop("source");
      await fillRolesAndGrants(source.sql, prefix);
      await using target = reservedDatabase("target");
      // The roles are not there yet: every one of them is named at once, and nothing is made.
      await expect(copy(source, target)).rejects.toMatchObject({
        code: "preflight",
        obstacles: Array.from({ length: 4 }, () => expect.objectContaining({ code: "missing-role", side: "target" })),
      });
      await createTestRoles((text) => sql(urlOf(server("target"), "postgres"), text), prefix);
      await copy(source, target);
      await expectSame(source, target);
      // Once more, over the copy: nothing asks, nothing is left of the first.
      await copy(source, target);
      await expectSame(source, target);
    } finally {
      for (const side of ["source", "target"] as const) await dropTestRoles((text) => sql(urlOf(server(side), "postgres"), text), prefix);
    }
  });

  test("twice the same source gives twice the same copy, and the source is as it was", async () => {
    await using source = await freshShop("source");
    await using copyOfSource = await freshDatabase("source", { template: source.name });
    await using target = reservedDatabase("target");
    await copy(source, target);
    await expectSame(source, copyOfSource);
    await expectSame(copyOfSource, target);
  });
});
