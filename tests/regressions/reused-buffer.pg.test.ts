import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { relay } from "../../src/copy/relay.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { until } from "../support/cli-run.ts";
import { type FreshDatabase, freshDatabase } from "../support/databases.ts";
import { openSession } from "../support/sql.ts";

// What is read from the source lies in memory that is read into again: never while it holds rows that the target has not taken.

const HASH = "SELECT count(*)::int AS rows, md5(string_agg(md5(t::text), '' ORDER BY n)) AS hash FROM t";
const COPIES = { copyOut: "COPY public.t TO STDOUT (FORMAT binary)", copyIn: "COPY public.t FROM STDIN (FORMAT binary)" };

async function sessionOf({ url, side }: FreshDatabase): Promise<Session> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const [user, secret, database] = [username, password, pathname.slice(1)].map(decodeURIComponent);
  const place = { side, host: hostname, port: Number(port), user: user ?? "", password: secret ?? "", database: database ?? "" };
  return await connect({ ...place, ssl: { mode: "disable" }, connectTimeoutMs: 10_000 }, { applicationName: "test" });
}

test("a target much slower than the source gets every byte", async () => {
  await using from = await freshDatabase("source", {
    sql: ["CREATE TABLE t (n int, text text)", "INSERT INTO t SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 40000) n"],
  });
  await using to = await freshDatabase("target", {
    sql: [
      "CREATE FUNCTION slow(n int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN IF n % 500 = 0 THEN PERFORM pg_catalog.pg_sleep(0.005); END IF; RETURN true; END$$",
      "CREATE TABLE t (n int CHECK (public.slow(n)), text text)",
    ],
  });
  await using source = await sessionOf(from);
  await using target = await sessionOf(to);
  const moved = await relay({ source, target }, COPIES);
  expect(moved).toMatchObject([{ rows: 40_000 }]);
  expect(await to.sql(HASH)).toEqual(await from.sql(HASH));
});

test("rows that wait for a target that does not answer yet outlive what the source says meanwhile", async () => {
  await using from = await freshDatabase("source", {
    sql: ["CREATE TABLE t (n int, text text)", "INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 50) n"],
  });
  await using to = await freshDatabase("target", { sql: "CREATE TABLE t (n int, text text)" });
  await using source = await sessionOf(from);
  await using target = await sessionOf(to);
  await using holder = await openSession(to.url);
  await holder.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  const moving = relay({ source, target }, COPIES);
  await until(async () => (await to.sql("SELECT FROM pg_locks WHERE pid = $1 AND NOT granted", [target.pid])).length > 0);
  const word = await source.query<{ text: string }>("SELECT repeat('y', 100000) AS text");
  expect(word[0]?.text).toHaveLength(100_000);
  await holder.query("COMMIT");
  expect(await moving).toMatchObject([{ rows: 50 }]);
  expect(await to.sql(HASH)).toEqual(await from.sql(HASH));
});

test("a pace that lets go of one copy when the next is under way does not let go of that one", async () => {
  await using from = await freshDatabase("source", {
    sql: ["CREATE TABLE t (n int, text text)", "INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 20000) n"],
  });
  await using to = await freshDatabase("target", { sql: "CREATE TABLE t (n int, text text)" });
  await using source = await sessionOf(from);
  await using target = await sessionOf(to);
  let lastChunk = 0;
  await relay({ source, target }, { ...COPIES, pace: () => sleep((lastChunk += 50)) });
  await to.sql("TRUNCATE t");
  await using holder = await openSession(to.url);
  await holder.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  const moving = relay({ source, target }, COPIES);
  await sleep(lastChunk + 200);
  await holder.query("COMMIT");
  expect(await moving).toMatchObject([{ rows: 20_000 }]);
  expect(await to.sql(HASH)).toEqual(await from.sql(HASH));
});
