import { describe, expect, test } from "vitest";
import type { SyncEvent } from "../../src/index.ts";
import { freshShop, reservedDatabase, freshDatabase } from "../support/databases.ts";
import { copy, expectSame } from "../support/fidelity.ts";
import { tableChecksums } from "../support/oracle.ts";
import { openSession } from "../support/sql.ts";

describe("a busy source", () => {
  test("rows, tables and sequences that change during the run: the copy is the snapshot, and no alarm is raised", async () => {
    await using source = await freshShop("source");
    await using frozen = await freshDatabase("source", { template: source.name });
    await using target = reservedDatabase("target");
    const done: Promise<unknown>[] = [];
    const at = new Map<string, string>([
      [
        "plan:ready",
        "INSERT INTO public.places SELECT 'new ' || n, n FROM generate_series(1, 100) n; DELETE FROM public.order_items; UPDATE public.customers SET note = 'changed'; CREATE TABLE public.late AS SELECT 1 AS i; CREATE INDEX late_index ON public.places (population); SELECT lo_create(999999), lo_unlink(424243)",
      ],
      [
        "staging:created",
        "INSERT INTO public.orders (customer_id, status, ordered_at) SELECT 1010, 'new', now() FROM generate_series(1, 50); CREATE SCHEMA late; CREATE TABLE late.t (i int PRIMARY KEY); DELETE FROM public.transactions WHERE id % 2 = 0 AND id NOT IN (SELECT transaction_id FROM public.refunds)",
      ],
      [
        "task:done pre-data",
        "DELETE FROM public.products WHERE id NOT IN (SELECT product_id FROM public.order_items); UPDATE public.documents SET body = ''; VACUUM public.documents",
      ],
      [
        "task:done copy",
        "INSERT INTO public.employees SELECT 9000 + n, 'x', 1 FROM generate_series(1, 10) n; CREATE VIEW public.late_view AS SELECT 1 AS i",
      ],
      ["phase:started 4", "DELETE FROM public.employees WHERE id >= 9000; INSERT INTO public.places VALUES ('very late', 1)"],
    ]);
    let busy = Promise.resolve();
    const onEvent = (event: SyncEvent): void => {
      const key =
        event.type === "task:done"
          ? `${event.type} ${event.kind}`
          : event.type === "phase:started"
            ? `${event.type} ${event.phase}`
            : event.type;
      const text = at.get(key);
      if (text === undefined) return;
      at.delete(key);
      // One after the other, in sessions of their own.
      busy = busy.then(async () => {
        for (const statement of text.split("; ")) await source.sql(statement);
      });
      done.push(busy);
    };
    await copy(source, target, { onEvent, jobs: 2 });
    await Promise.all(done);
    expect([...at.keys()]).toEqual([]);
    // Sequences are read last, and may be ahead of the rows; never behind.
    await source.sql("SELECT 1");
    expect(await tableChecksums(target.url)).toEqual(await tableChecksums(frozen.url));
    expect(await tableChecksums(source.url)).not.toEqual(await tableChecksums(frozen.url));
    const lobs = await target.sql("SELECT oid FROM pg_largeobject_metadata ORDER BY 1");
    expect(lobs).toEqual(await frozen.sql("SELECT oid FROM pg_largeobject_metadata ORDER BY 1"));
    expect(
      await target.sql("SELECT to_regclass('public.late') AS t, to_regclass('public.late_index') AS i, to_regnamespace('late') AS s"),
    ).toEqual([{ t: null, i: null, s: null }]);
    // And the next run brings the rest; a materialized view is as fresh as a run makes it.
    await source.sql("REFRESH MATERIALIZED VIEW public.sales_by_product; REFRESH MATERIALIZED VIEW public.best_sellers");
    await copy(source, target);
    await expectSame(source, target);
  });

  test("sequences advanced during the run are at least as far on the target as its rows", async () => {
    await using source = await freshDatabase("source", {
      sql: "CREATE TABLE t (id serial PRIMARY KEY, t text); INSERT INTO t (t) SELECT 'x' FROM generate_series(1, 1000)",
    });
    await using target = reservedDatabase("target");
    let busy: Promise<unknown> = Promise.resolve();
    const onEvent = ({ type }: SyncEvent): void => {
      if (type === "plan:ready" || type === "task:done") busy = busy.then(() => source.sql("INSERT INTO t (t) VALUES ('y')"));
    };
    await copy(source, target, { onEvent });
    await busy;
    expect(await target.sql("SELECT count(*)::int AS n, max(id) AS max FROM t")).toEqual([{ n: 1000, max: 1000 }]);
    await target.sql("INSERT INTO t (t) VALUES ('next')");
    await copy(source, target);
    await expectSame(source, target);
  });

  test("DDL that comes after the snapshot waits for the run, and the run never for it", async () => {
    await using source = await freshDatabase("source", {
      sql: "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); CREATE TABLE u (id int); INSERT INTO u VALUES (1)",
    });
    await using target = reservedDatabase("target");
    const waiting: Promise<unknown>[] = [];
    const during = async (): Promise<unknown> => {
      const sessions = await Promise.all([openSession(source.url), openSession(source.url)]);
      const onEvent = ({ type }: SyncEvent): void => {
        if (type !== "plan:ready") return;
        for (const [i, session] of sessions.entries())
          waiting.push(session.query(["TRUNCATE t", "ALTER TABLE u ADD COLUMN late int"][i] ?? "").catch(() => {}));
      };
      try {
        return await copy(source, target, { onEvent, retryCount: 1 });
      } finally {
        await Promise.all(waiting);
        for (const session of sessions) await session[Symbol.asyncDispose]();
      }
    };
    // These wait as long as it takes; the copy holds what was there before them.
    expect(await during()).toMatchObject({ result: { rows: 1001 } });
    expect(await target.sql("SELECT count(*)::int AS n FROM t")).toEqual([{ n: 1000 }]);
    await copy(source, target);
    await expectSame(source, target);
    expect(await target.sql("SELECT late FROM u")).toEqual([{ late: null }]);
  });

  test("a table that a transaction has created, and one that it drops, while the tables are being locked", async () => {
    await using source = await freshDatabase("source", { sql: "CREATE TABLE goes (i int); CREATE TABLE stays AS SELECT 1 AS i" });
    await using target = reservedDatabase("target");
    await using session = await openSession(source.url);
    await session.query("BEGIN; DROP TABLE goes; CREATE TABLE comes AS SELECT 2 AS i");
    let release: Promise<unknown> | undefined;
    const run = copy(source, target);
    // Somebody waits for a lock in the source now; then the transaction ends.
    await using watcher = await openSession(source.url);
    for (;;) {
      const { rows } = await watcher.query(
        "SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
      );
      if (rows.length === 0) continue;
      release = session.query("COMMIT");
      break;
    }
    await release;
    await run;
    await expectSame(source, target);
    expect(await target.sql("SELECT i FROM comes")).toEqual([{ i: 2 }]);
  });
});
