import { afterAll, beforeAll, expect, test } from "vitest";
import { SLOW } from "../support/cli-run.ts";
import { openSession, sql } from "../support/sql.ts";
import { attack } from "./attack.ts";
import { type Bench, heldBy, openBench } from "./bench.ts";
import { expectPromises } from "./promises.ts";

// row 10; one setting after the other on a role: tests/regressions/hostile-settings.pg.test.ts

/** Takes longer than every timeout below: to copy, to index, and for whoever waits meanwhile. */
const SLOW_TABLE = `${SLOW} CREATE TABLE public.slow_rows (i int CHECK (slow(i, 0.04)));
  INSERT INTO public.slow_rows SELECT generate_series(1, 40); CREATE INDEX ON public.slow_rows ((slow(i, 0.04)));`;

/** Whoever finds these before those of pg_catalog reads nonsense, or tells that he was there. */
const TRAPS = `CREATE SCHEMA traps; GRANT USAGE ON SCHEMA traps TO PUBLIC;
  CREATE TABLE traps.caught (what text); GRANT INSERT ON traps.caught TO PUBLIC;
  ${[
    "format_type(oid, integer)",
    "pg_get_indexdef(oid)",
    "quote_ident(text)",
    "pg_get_constraintdef(oid)",
    "version()",
    "current_setting(text)",
  ]
    .map((signature) => `CREATE FUNCTION traps.${signature} RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;`)
    .join("\n")}
  CREATE FUNCTION traps.never(name, name) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT false';
  CREATE OPERATOR traps.= (LEFTARG = name, RIGHTARG = name, FUNCTION = traps.never);
  CREATE FUNCTION traps.never(oid, oid) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT false';
  CREATE OPERATOR traps.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = traps.never);
  CREATE VIEW traps.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE false;
  CREATE VIEW traps.pg_database AS SELECT * FROM pg_catalog.pg_database WHERE false;
  CREATE TABLE traps.text (i int);`;

const SETTINGS = [
  "statement_timeout = '1s'",
  "lock_timeout = '1s'",
  "idle_in_transaction_session_timeout = '1s'",
  "DateStyle = 'German, DMY'",
  "IntervalStyle = 'sql_standard'",
  "TimeZone = 'Pacific/Chatham'",
  "bytea_output = 'escape'",
  "extra_float_digits = -15",
  "default_transaction_read_only = on",
  "search_path = traps, pg_catalog, public",
];

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  for (const text of [SLOW_TABLE, TRAPS]) await sql(bench.sourceUrl, text);
  for (const database of ["postgres", "template1"]) await sql(bench.target.url(database), TRAPS);
  for (const side of ["source", "target"] as const) {
    const admin = bench[side].url("postgres");
    await sql(admin, "CREATE ROLE hurt SUPERUSER LOGIN PASSWORD 'x'");
    for (const setting of SETTINGS) await sql(admin, `ALTER ROLE hurt SET ${setting}`);
    // the oracle's sessions get these too, and are quick
    for (const database of side === "source" ? ["postgres", "shop"] : ["postgres", "template1"])
      for (const setting of SETTINGS.slice(0, 5)) await sql(admin, `ALTER DATABASE ${database} SET ${setting}`);
  }
});
afterAll(async () => await bench?.[Symbol.asyncDispose]());

test("timeouts of a second, read-only by default, odd formats and a search_path full of traps, on both sides", async () => {
  const held = await heldBy(bench.sourceUrl);
  const as = (url: string): string => {
    const own = new URL(url);
    own.username = "hurt";
    own.password = "x";
    return own.href;
  };
  {
    // the traps do catch whoever walks into them
    await using session = await openSession(as(bench.sourceUrl));
    await expect(session.query("SELECT version()")).rejects.toThrow("trapped");
    expect((await session.query("SELECT FROM pg_class")).rowCount).toBe(0);
    await expect(session.query("CREATE TABLE public.x ()")).rejects.toThrow("read-only");
    await expect(session.query("SELECT pg_sleep(3)")).rejects.toThrow("statement timeout");
  }
  await using trial = await bench.trial();
  const outcome = await attack(trial, { sourceUrl: as(bench.sourceUrl), targetUrl: as(trial.url) });
  await expectPromises(trial, outcome, { exit: [0], held });
});
