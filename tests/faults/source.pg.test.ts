import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SLOW, until } from "../support/cli-run.ts";
import { openSession, sql } from "../support/sql.ts";
import { attack } from "./attack.ts";
import { type Bench, heldBy, openBench } from "./bench.ts";
import { FULL, TEST_MS } from "./form.ts";
import { expectPromises } from "./promises.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  const text = `${SLOW} ALTER TABLE public.places ADD CHECK (slow(population, 0.005))`;
  for (const statement of text.split(/(?<=;)\s*(?=ALTER)/)) await sql(bench.sourceUrl, statement);
});
afterAll(async () => await bench?.[Symbol.asyncDispose]());

/** What changes a table waits for the run's locks; the new partition too, for its parent is locked. */
const DDL = [
  "ALTER TABLE public.places ADD COLUMN late int DEFAULT 7",
  "ALTER TABLE public.customers RENAME COLUMN note TO remark",
  "TRUNCATE public.order_items",
  "DROP TABLE public.bookings",
  "CREATE TABLE public.late_partition PARTITION OF public.transactions FOR VALUES FROM ('2031-01-01') TO ('2031-02-01')",
];

/** What changes rows does not. */
const WRITES = [
  "UPDATE public.customers SET city = city || '!'",
  "INSERT INTO public.places SELECT 'late ' || n, n FROM generate_series(1, 50) n",
  "DELETE FROM public.tickets WHERE id IN (SELECT id FROM public.tickets LIMIT 3)",
  "UPDATE public.orders SET updated_at = now() WHERE id % 7 = 0",
  "SELECT lo_unlink(424243)",
];

// row 13; event by event: tests/fidelity/busy.pg.test.ts
test(
  "ALTER, DROP, TRUNCATE, a new partition and heavy writes during the run: the copy is as of the snapshot",
  { timeout: TEST_MS },
  async () => {
    for (let round = 0; round < (FULL ? 10 : 1); round += 1) {
      await sql(bench.source.url("postgres"), "CREATE DATABASE busy TEMPLATE shop");
      const busy = bench.source.url("busy");
      const held = await heldBy(busy);
      await using trial = await bench.trial();
      const changes: Promise<unknown>[] = [];
      let waiting = 0;
      const outcome = await attack(trial, {
        sourceUrl: busy,
        during: async (cli) => {
          await cli.waitFor(/"type":"plan:ready"/);
          changes.push(...DDL.map((text) => sql(busy, text)));
          const write = async (text: string): Promise<void> => {
            await using session = await openSession(busy);
            for (let i = 0; i < 20; i += 1) {
              await session.query(text).catch(() => {}); // its table may be gone, or the object
              await sleep(20);
            }
          };
          changes.push(...WRITES.map(write));
          const blocked = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
          waiting = await until(async () => (await sql(busy, blocked)).length || undefined);
        },
      });
      await Promise.all(changes);
      expect(waiting).toBeGreaterThan(0);
      // the changes have happened, and are not in the copy
      expect(await sql(busy, "SELECT to_regclass('public.bookings') AS gone, to_regclass('public.late_partition')::text AS there")).toEqual(
        [{ gone: null, there: "late_partition" }],
      );
      await expectPromises(trial, outcome, { exit: [0], held });
      await sql(bench.source.url("postgres"), "DROP DATABASE busy");
    }
  },
);
