import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PgdittoError } from "../../src/errors.ts";
import { type FreshDatabase, freshDatabase } from "../support/databases.ts";
import { type JsonLine, jsonLines, runBetween, startBetween, until } from "../support/cli-run.ts";
import { copy, schemaText, warningCodes } from "../support/fidelity.ts";
import { tableChecksums } from "../support/oracle.ts";
import { closeGate, GATE, SALES, salesPair, SOLD, SOLD_TABLES, soldRows, untilQuiet, WORKED_ON } from "../support/reload.ts";
import { runCli } from "../support/run-cli.ts";
import { ownCluster, server } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";
import { places, TEST_MS } from "../faults/form.ts";

const FLAGS = ["--mode", "truncate", "--yes", "-T", "seen"];
const truncate = { mode: "truncate", yes: true, excludeTables: ["seen"] } as const;
describe("kill -9 at a side effect on the target", () => {
  test.each([
    ["before", "the next run"],
    ["after", "pgditto repair"],
  ] as const)(
    "%s it: every table has its old or its new rows, and %s leaves the schema as it was",
    { timeout: TEST_MS },
    async (when, mender) => {
      await using pair = await salesPair();
      const { source, target } = pair;
      const schema = await schemaText(target.url);
      const fresh = await soldRows(source.url);
      await using folder = await temporary();
      const effects = await killedAt(folder.path, pair, 0, when);
      const ended = new Set<number | null>();
      for (const at of places(effects.length, 4)) {
        await target.sql(
          `UPDATE customers SET name = 'old ' || name || ${at}; UPDATE orders SET total = total + 1; UPDATE parts SET note = 'x'`,
        );
        const old = await soldRows(target.url);
        await killedAt(folder.path, pair, at, when);
        const here = await soldRows(target.url);
        for (const name of SOLD_TABLES)
          expect([old[name], fresh[name]], `${name}, ${when} ${at}: ${effects[at - 1] ?? ""}`).toContainEqual(here[name]);
        const mended =
          mender === "the next run"
            ? await runBetween(source, target, [...FLAGS, "--drop-indexes"])
            : await runCli(["repair", "--target", target.url]);
        ended.add(mended.code);
        expect(mended.stderr, `${when} ${at}: ${effects[at - 1] ?? ""}`).not.toContain("ERROR");
        expect(await soldRows(target.url)).toEqual(mender === "the next run" ? fresh : here);
        expect(await schemaText(target.url)).toBe(schema);
      }
      expect([...ended]).toEqual([0]);
    },
  );
});

/** What the run does on the target, one line each; without `at` nobody kills it. */
async function killedAt(
  folder: string,
  { source, target }: { source: FreshDatabase; target: FreshDatabase },
  at: number,
  when: string,
): Promise<string[]> {
  const log = join(folder, "effects");
  await rm(log, { force: true });
  await runBetween(source, target, [...FLAGS, "--drop-indexes"], {
    env: {
      NODE_OPTIONS: `--import ${new URL("../faults/kill-at.mjs", import.meta.url).href}`,
      PGDITTO_FAULT_PORT: String(server("target").port),
      PGDITTO_FAULT_AT: String(at),
      PGDITTO_FAULT_WHEN: when,
      PGDITTO_FAULT_LOG: log,
    },
  });
  await untilQuiet(target);
  return (await readFile(log, "utf8")).trimEnd().split("\n");
}

async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "reload-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

describe("a failure on the way", () => {
  test("a row that the target refuses: which tables are new is said, everything is back, the next run does it", async () => {
    await using pair = await salesPair({ target: "ALTER TABLE orders ADD CONSTRAINT small CHECK (total < 280) NOT VALID" });
    const { source, target } = pair;
    const schema = await schemaText(target.url);
    const old = await soldRows(target.url);
    const { code, stdout, stderr } = await runBetween(source, target, [...FLAGS, "--jobs", "1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/copy: public\.orders[^]*violates check constraint "small"/);
    expect(stderr).toMatch(/Old rows: .*public\.orders/);
    expect(stderr).toMatch(/Everything that was taken off is back/);
    expect(stderr).not.toMatch(/The live target is as it was|swapped/);
    expect(stdout).toMatch(/\[FKEY {2}\] \[DONE {5}\] reports: reports_order_fkey +\| put back/);
    expect(await schemaText(target.url)).toBe(schema);
    expect((await soldRows(target.url))["public.orders"]).toEqual(old["public.orders"]);
    await target.sql("ALTER TABLE orders DROP CONSTRAINT small");
    expect((await runBetween(source, target, FLAGS)).code).toBe(0);
    expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
  });

  test("Ctrl+C: exit 130, everything taken off is back", async () => {
    await using pair = await salesPair({ target: GATE });
    const { source, target } = pair;
    const schema = await schemaText(target.url);
    const old = await soldRows(target.url);
    await using gate = await closeGate(target);
    await using cli = await startBetween(source, target, [...FLAGS, "--drop-indexes"]);
    await gate.reached();
    expect(await target.sql("SELECT kind FROM pgditto.ledger")).toContainEqual({ kind: "index" });
    cli.kill("SIGINT");
    const { code, stderr } = await cli.result;
    expect(code).toBe(130);
    expect(stderr).toMatch(/Each table has either all of its new rows or all of its old ones|Every table has its old rows/);
    expect(await schemaText(target.url)).toBe(schema);
    expect((await soldRows(target.url))["public.orders"]).toEqual(old["public.orders"]);
  });

  test("rows of a table outside that have no match any more: NOT VALID, shown, exit 3; mended, the next run makes it valid", async () => {
    await using pair = await salesPair({
      target: "INSERT INTO orders (id, customer) VALUES (9000, 1), (9001, 1); INSERT INTO reports VALUES (3, 9000), (4, 9001)",
    });
    const { source, target } = pair;
    const schema = await schemaText(target.url);
    const { code, stdout, stderr } = await runBetween(source, target, [...FLAGS, "--json"]);
    expect([code, stderr]).toEqual([3, ""]);
    const failed: JsonLine | undefined = jsonLines(stdout).at(-1);
    expect(failed).toMatchObject({
      type: "run:failed",
      error: { code: "verify" },
      differences: [
        {
          kind: "foreign-key",
          object: "public.reports: reports_order_fkey",
          source: "refers to public.orders",
          target: "2 rows without a match: order = 9000, 9001",
        },
      ],
    });
    expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
    // it holds for new rows
    await expect(target.sql("INSERT INTO reports VALUES (5, 9002)")).rejects.toMatchObject({ code: "23503" });
    // half mended: the rows are still told of; an unrelated reload is not held up by them
    await target.sql('DELETE FROM reports WHERE "order" = 9000');
    expect((await runBetween(source, target, FLAGS)).stderr).toMatch(/1 row without a match: order = 9001/);
    expect((await runBetween(source, target, ["--mode", "truncate", "--yes", "-t", "seen"])).code).toBe(0);
    // the source has the row by now
    await source.sql("INSERT INTO orders (id, customer) VALUES (9001, 1)");
    expect((await runBetween(source, target, FLAGS)).code).toBe(0);
    expect(await schemaText(target.url)).toBe(schema);
  });

  test("somebody has the table in use: who it is is said", async () => {
    const table = "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 5) g";
    await using source = await freshDatabase("source", { sql: table });
    await using target = await freshDatabase("target", { sql: `${table}; DELETE FROM t WHERE id = 1` });
    await using other = await openSession(target.url);
    const { rows } = await other
      .query<{ pid: number }>("BEGIN; SELECT * FROM t; SELECT pg_backend_pid() AS pid")
      .then((all) => (all as unknown as Array<{ rows: Array<{ pid: number }> }>)[2] ?? { rows: [] });
    const error = await copy(source, target, { mode: "truncate", yes: true, stallTimeout: 4, retryCount: 1 }).catch(
      (failure: PgdittoError) => failure,
    );
    expect(error).toMatchObject({ code: "copy", sqlstate: "55P03", object: "public.t" });
    const { detail = "", hint = "" } = error as PgdittoError;
    expect(detail).toMatch(new RegExp(`Backend ${rows[0]?.pid} \\(.*test.*\\) holds t, in a transaction since `));
    expect(hint).toContain(`pg_terminate_backend(${rows[0]?.pid})`);
    await other.query("COMMIT");
    await copy(source, target, { mode: "truncate", yes: true });
    expect(await tableChecksums(target.url)).toEqual(await tableChecksums(source.url));
  });

  test("somebody has a table in use whose key is to be taken off: another attempt", async () => {
    const tables = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p); INSERT INTO p VALUES (1)";
    await using source = await freshDatabase("source", { sql: [tables, "INSERT INTO c VALUES (1)"] });
    await using target = await freshDatabase("target", { sql: tables });
    await using other = await openSession(target.url);
    await other.query("BEGIN; SELECT * FROM p");
    const run = copy(source, target, { mode: "truncate", yes: true, stallTimeout: 4, retryCount: 5 });
    const waiting = async (): Promise<boolean> => (await target.sql("SELECT FROM pg_locks WHERE NOT granted")).length > 0;
    await until(waiting);
    await until(async () => !(await waiting()));
    await other.query("COMMIT");
    await run;
    expect(await target.sql("SELECT * FROM c")).toEqual([{ id: 1 }]);
  });

  test("what an earlier run left off because of rows: told as long as it is off, back once the new rows allow it", async () => {
    const table = "CREATE TABLE t (id int)";
    await using source = await freshDatabase("source", { sql: [table, "INSERT INTO t VALUES (1), (1)"] });
    await using target = await freshDatabase("target", { sql: [table, "CREATE UNIQUE INDEX once ON t (id)"] });
    const schema = await schemaText(target.url);
    for (const dropIndexes of [true, false]) {
      const error = await copy(source, target, { mode: "truncate", yes: true, dropIndexes }).catch((failure: PgdittoError) => failure);
      expect(error).toMatchObject({ code: "verify", exitCode: 3, differences: [{ kind: "index", object: "public.t: once" }] });
    }
    await source.sql("UPDATE t SET id = 2 WHERE ctid = (SELECT min(ctid) FROM t)");
    await copy(source, target, { mode: "truncate", yes: true });
    expect(await schemaText(target.url)).toBe(schema);
  });

  test("a ledger that came with a copy of another database is refused; one that the source holds stays there", async () => {
    await using pair = await salesPair();
    const { source, target } = pair;
    const ledger = `CREATE SCHEMA pgditto; CREATE TABLE pgditto.ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run text NOT NULL, purpose text NOT NULL, kind text NOT NULL,
      "schema" text NOT NULL, "table" text NOT NULL, name text NOT NULL, state text NOT NULL DEFAULT 'off', put_back text NOT NULL, validate text,
      taken timestamptz NOT NULL DEFAULT now(), database text NOT NULL, database_oid bigint NOT NULL, system text NOT NULL); ALTER TABLE pgditto.ledger ENABLE ROW LEVEL SECURITY;
      INSERT INTO pgditto.ledger (run, purpose, kind, "schema", "table", name, put_back, database, database_oid, system)
      VALUES ('r', 'reload', 'trigger', 'public', 'orders', 'usual', 'DROP TABLE public.seen', 'somewhere', 1, '2')`;
    await source.sql(ledger);
    const { events } = await copy(source, target, truncate);
    expect(await target.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'pgditto'")).toEqual([]);
    expect(warningCodes(events)).toEqual(["stale-views"]);
    await target.sql(ledger);
    const before = await tableChecksums(target.url);
    await expect(copy(source, target, truncate)).rejects.toMatchObject({ exitCode: 6, message: expect.stringContaining("somewhere") });
    expect(await tableChecksums(target.url)).toEqual(before);
    expect(await target.sql("SELECT database FROM pgditto.ledger")).toEqual([{ database: "somewhere" }]);
    expect(await target.sql("SELECT count(*)::int AS n FROM seen")).toEqual([{ n: 0 }]);
  });

  test("a second run is told of the first", async () => {
    await using pair = await salesPair({ target: GATE });
    const { source, target } = pair;
    await using gate = await closeGate(target);
    const first = copy(source, target, truncate);
    await gate.reached();
    await expect(copy(source, target, truncate)).rejects.toMatchObject({ code: "locked", exitCode: 9 });
    await expect(copy(source, target, { yes: true })).rejects.toMatchObject({ code: "locked", exitCode: 9 });
    await gate.open();
    await first;
    expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
  });
});

describe("the target's server crashes", () => {
  test.each([true, false])("comes back: %j, at once", async (back) => {
    await using source = await freshDatabase("source", { sql: [SALES, SOLD] });
    await using cluster = await ownCluster("target", { settings: { fsync: "on", synchronous_commit: "on", full_page_writes: "on" } });
    await sql(cluster.url("postgres"), "CREATE DATABASE crashed");
    const target = { url: cluster.url("crashed") };
    for (const text of [SALES, SOLD, WORKED_ON, GATE]) await sql(target.url, text);
    const schema = await schemaText(target.url);
    await using gate = await closeGate(target);
    const run = copy(source, target, { ...truncate, retryCount: back ? 5 : 1, dropIndexes: true });
    run.catch(() => undefined);
    await gate.reached();
    await cluster.stop("crash");
    if (back) {
      await cluster.start();
      await run;
    } else {
      const error = await run.catch((failure: PgdittoError) => failure);
      // the copy was lost, or the server was not there any more when a connection was opened again
      expect([1, 5]).toContain("exitCode" in error ? error.exitCode : 0);
      expect(error).toMatchObject({ hint: expect.stringContaining("pgditto repair") as string });
      await cluster.start();
      expect(await schemaText(target.url)).not.toBe(schema);
      await copy(source, target, { ...truncate });
    }
    expect(await schemaText(target.url)).toBe(schema);
    expect(await soldRows(target.url)).toEqual(await soldRows(source.url));
  });
});
