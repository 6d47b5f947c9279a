import { describe, expect, test } from "vitest";
import type { PgdittoError } from "../../src/errors.ts";
import { startBetween, until } from "../support/cli-run.ts";
import { freshDatabase } from "../support/databases.ts";
import { copy, schemaText } from "../support/fidelity.ts";
import { contents, sequenceValues } from "../support/oracle.ts";
import { closeGate, GATE, ownAll, salesPair, soldRows, untilQuiet, withPlainRole } from "../support/reload.ts";
import { ownCluster } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";

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

  test("somebody holds a row that is to go: the run ends in time and names him", async () => {
    const table = "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 5) g";
    await using source = await freshDatabase("source", { sql: table });
    await using target = await freshDatabase("target", { sql: `${table}; DELETE FROM t WHERE id = 1` });
    await using other = await openSession(target.url);
    await other.query("BEGIN");
    const { rows } = await other.query<{ pid: number }>("SELECT pg_backend_pid() AS pid FROM t WHERE id = 2 FOR UPDATE");
    const options = { ...atomic, excludeTables: [], stallTimeout: 4, retryCount: 1 };
    const error = await copy(source, target, options).catch((failure: PgdittoError) => failure);
    expect(error).toMatchObject({ sqlstate: "55P03", hint: expect.stringMatching(/^The target is as it was/) as string });
    expect("hint" in error && error.hint).toContain(`pg_terminate_backend(${rows[0]?.pid})`);
    await other.query("COMMIT");
    await copy(source, target, options);
    expect(await target.sql("SELECT count(*)::int AS n FROM t")).toEqual([{ n: 5 }]);
  });

  test.each(["fails", "is cancelled"])("what %s after the commit does not say that the target is as it was", async (what) => {
    await using pair = await salesPair();
    const { source, target } = pair;
    const controller = new AbortController();
    const after = async (): Promise<void> => {
      if (what === "is cancelled") controller.abort();
      throw new Error("no");
    };
    const error = await copy(source, target, { ...atomic, signal: controller.signal, hooks: { after } }).catch(
      (failure: PgdittoError) => failure,
    );
    expect(error).toMatchObject({
      code: what === "fails" ? "sql" : "cancelled",
      hint: expect.stringMatching(/^Each table has either all of its new rows/) as string,
      detail: expect.stringMatching(/New rows: public.customers, public.orders/) as string,
    });
    expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
  });

  test("a COMMIT whose answer is lost: it is said that it may have been committed", async () => {
    await using cluster = await ownCluster("target", { settings: { synchronous_commit: "on" } });
    const url = cluster.url("postgres");
    await sql(url, "CREATE TABLE t (id int)");
    await using source = await freshDatabase("source", { sql: "CREATE TABLE t AS SELECT 1 AS id" });
    // a standby that never answers: it is committed here, and the server waits before it says so
    await sql(url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await sql(url, "SELECT pg_reload_conf()");
    const run = copy(source, { url }, { ...atomic, excludeTables: [], retryCount: 1 }).catch((failure: PgdittoError) => failure);
    const [waiting] = await until(async () => {
      const found = await sql(url, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name LIKE 'pgditto%'");
      return found.length > 0 && found;
    });
    await sql(url, "SELECT pg_terminate_backend($1)", [waiting?.["pid"]]);
    expect(await run).toMatchObject({ hint: expect.stringMatching(/may have been committed/) as string });
    expect(await sql(url, "SELECT * FROM t")).toEqual([{ id: 1 }]);
  });

  test("rules ON DELETE that would fire are refused, others are not", async () => {
    const table = "CREATE TABLE t AS SELECT 1 AS id";
    await using source = await freshDatabase("source", { sql: table });
    await using target = await freshDatabase("target", {
      sql: `${table}; UPDATE t SET id = 2; CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING; ALTER TABLE t ENABLE ALWAYS RULE keep`,
    });
    const options = { ...atomic, excludeTables: [] };
    const error = await copy(source, target, options).catch((failure: PgdittoError) => failure);
    expect(error).toMatchObject({ code: "preflight", exitCode: 6 });
    expect("message" in error && error.message).toContain("rules ON DELETE would act on that: keep of public.t.");
    expect(await target.sql("SELECT * FROM t")).toEqual([{ id: 2 }]);
    // keeps quiet in a replica's session
    await target.sql("ALTER TABLE t ENABLE RULE keep");
    await copy(source, target, options);
    expect(await target.sql("SELECT * FROM t")).toEqual([{ id: 1 }]);
    await withPlainRole(target, async (role, as) => {
      await ownAll(target, role);
      await expect(copy(source, { url: as }, options)).rejects.toMatchObject({ code: "preflight" });
      await target.sql("ALTER TABLE t DISABLE RULE keep; UPDATE t SET id = 3");
      await copy(source, { url: as }, options);
      expect(await target.sql("SELECT * FROM t")).toEqual([{ id: 1 }]);
    });
  });

  test("such a role, and partitions that refer to each other: refused, unless the key can wait", async () => {
    const tree = (
      later: string,
    ) => `CREATE TABLE tree (id int PRIMARY KEY, up int CONSTRAINT upwards REFERENCES tree ${later}) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF tree FOR VALUES FROM (1) TO (10); CREATE TABLE high PARTITION OF tree FOR VALUES FROM (10) TO (20);
      INSERT INTO tree VALUES (1, 11), (11, 1)`;
    await using source = await freshDatabase("source", { sql: tree("") });
    for (const later of ["", "DEFERRABLE"]) {
      await using target = await freshDatabase("target", { sql: tree(later) });
      await withPlainRole(target, async (role, as) => {
        await ownAll(target, role);
        const run = copy(source, { url: as }, { ...atomic, excludeTables: [] });
        if (later === "") await expect(run).rejects.toThrow("Partitions of public.tree refer to each other (public.tree: upwards)");
        else await run;
        expect(await target.sql("SELECT id, up FROM tree ORDER BY 1")).toEqual([
          { id: 1, up: 11 },
          { id: 11, up: 1 },
        ]);
      });
    }
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
