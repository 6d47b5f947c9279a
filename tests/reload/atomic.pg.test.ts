import { describe, expect, test } from "vitest";
import type { PgdittoError } from "../../src/errors.ts";
import { startBetween } from "../support/cli-run.ts";
import { freshDatabase } from "../support/databases.ts";
import { copy, schemaText } from "../support/fidelity.ts";
import { contents, sequenceValues } from "../support/oracle.ts";
import { closeGate, GATE, ownAll, salesPair, soldRows, untilQuiet, withPlainRole } from "../support/reload.ts";

const atomic = { mode: "truncate", atomic: true, yes: true, excludeTables: ["seen"] } as const;
describe("--atomic", () => {
  test("readers see the old rows until all of the new ones are there, and need not wait", async () => {
    await using pair = await salesPair({ target: GATE });
    const { source, target } = pair;
    const schema = await schemaText(target.url);
    const old = await soldRows(target.url);
    await using gate = await closeGate(target);
    const run = copy(source, target, atomic);
    await gate.reached();
    // customers are in by now, orders half; a writer would wait, a reader must not
    expect(await soldRows(target.url)).toEqual(old);
    await expect(target.sql("SET lock_timeout = '200ms'; UPDATE customers SET name = 'x' WHERE id = 1")).rejects.toMatchObject({
      code: "55P03",
    });
    await gate.open();
    await run;
    expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
    expect(await schemaText(target.url)).toBe(schema);
    expect(await sequenceValues(target.url)).toEqual(await sequenceValues(source.url));
    expect(await target.sql("SELECT * FROM seen")).toEqual([]);
  });

  test.each(["SIGKILL", "SIGINT"] as const)("%s in the middle: nothing has happened", async (signal) => {
    await using pair = await salesPair({ target: GATE });
    const { source, target } = pair;
    const before = [await contents(target.url), await schemaText(target.url)];
    await using gate = await closeGate(target);
    await using cli = await startBetween(source, target, ["--mode", "truncate", "--atomic", "--yes", "-T", "seen"]);
    await gate.reached();
    cli.kill(signal);
    const { code } = await cli.result;
    expect(code).toBe(signal === "SIGINT" ? 130 : null);
    await gate.open();
    await untilQuiet(target);
    expect([await contents(target.url), await schemaText(target.url)]).toEqual(before);
  });

  test("a role that only owns the tables: in the order of the keys, triggers off and on again in the transaction", async () => {
    await using pair = await salesPair({ target: "DROP MATERIALIZED VIEW summary; DROP TABLE reports" });
    const { source, target } = pair;
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      const schema = await schemaText(target.url);
      await copy(source, { url: as }, { ...atomic, excludeTables: ["seen"] });
      expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
      expect(await schemaText(target.url)).toBe(schema);
      expect(await target.sql("SELECT * FROM seen")).toEqual([]);
    });
  });

  test("such a role, and keys from outside or in a circle: refused, with what to do", async () => {
    await using pair = await salesPair({ target: "ALTER TABLE customers ADD last int REFERENCES orders" });
    const { source, target } = pair;
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      const error = await copy(source, { url: as }, atomic).catch((failure: PgdittoError) => failure);
      expect(error).toMatchObject({ code: "preflight" });
      const messages = "obstacles" in error ? error.obstacles.map(({ message }) => message) : [];
      expect(messages).toEqual([
        "public.reports, which is not selected, refers to rows that --atomic would have to delete (public.reports: reports_order_fkey).",
        "Foreign keys of public.customers, public.orders go round in a circle: there is no order for --atomic.",
      ]);
    });
  });

  test("such a role, and a circle that is closed by a key which can wait", async () => {
    await using pair = await salesPair({
      target: `DROP MATERIALIZED VIEW summary; DROP TABLE reports; ALTER TABLE customers ADD last int CONSTRAINT waits REFERENCES orders DEFERRABLE;
        UPDATE customers SET last = 1 WHERE id = 1`,
    });
    const { source, target } = pair;
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      const schema = await schemaText(target.url);
      await copy(source, { url: as }, atomic);
      expect(await target.sql("SELECT count(*)::int AS n, count(last)::int AS set FROM customers")).toEqual([{ n: 300, set: 0 }]);
      expect(await schemaText(target.url)).toBe(schema);
    });
  });

  test("rows without a match: rolled back, shown, exit 3", async () => {
    await using pair = await salesPair({
      target: "INSERT INTO orders (id, customer) VALUES (9000, 1); INSERT INTO reports VALUES (3, 9000)",
    });
    const { source, target } = pair;
    const before = [await contents(target.url), await schemaText(target.url)];
    const error = await copy(source, target, atomic).catch((failure: PgdittoError) => failure);
    expect(error).toMatchObject({
      code: "verify",
      exitCode: 3,
      differences: [{ kind: "foreign-key", object: "public.reports: reports_order_fkey", target: "1 row without a match: order = 9000" }],
    });
    expect([await contents(target.url), await schemaText(target.url)]).toEqual(before);
  });

  test("a lost connection: the whole transaction again", async () => {
    await using pair = await salesPair({ target: GATE });
    const { source, target } = pair;
    await using gate = await closeGate(target);
    const run = copy(source, target, atomic);
    const waiting = await gate.reached();
    await target.sql("SELECT pg_terminate_backend($1)", [waiting]);
    await gate.open();
    const { events } = await run;
    expect(events).toContainEqual(expect.objectContaining({ type: "message", code: "starts-over" }));
    expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
  });

  test("forced row security in the way is no surprise", async () => {
    const sql = "CREATE TABLE t AS SELECT 1 AS id";
    await using source = await freshDatabase("source", { sql });
    await using target = await freshDatabase("target", { sql });
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      await target.sql("ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
      const error = await copy(source, { url: as }, { ...atomic, excludeTables: [] }).catch((failure: PgdittoError) => failure);
      expect(error).toMatchObject({
        code: "preflight",
        message: expect.stringContaining("Row level security is forced on public.t") as string,
      });
    });
  });
});
