import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Side } from "../../src/errors.ts";
import { type CliOptions, type CliResult, type RunningCli, runCli, startCli } from "./run-cli.ts";
import { server, urlOf } from "./servers.ts";
import { sql } from "./sql.ts";

type Named = { url: string };

export type JsonLine = Record<string, unknown> & { type: string };

const SIDES: readonly Side[] = ["source", "target"];

/** The environment that says where to copy from and to. */
export function between(source: Named, target: Named, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { MAIN_DB_URL: source.url, ARCHIVE_DB_URL: target.url, ...more };
}

/** Runs `pgditto …` between two databases. */
export async function runBetween(source: Named, target: Named, args: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> {
  return await runCli(args, { ...options, env: between(source, target, options.env) });
}

export async function startBetween(
  source: Named,
  target: Named,
  args: readonly string[] = [],
  options: CliOptions = {},
): Promise<RunningCli> {
  return await startCli(args, { ...options, env: between(source, target, options.env) });
}

/** Every line of standard output, each of which has to be JSON. */
export function jsonLines(stdout: string): JsonLine[] {
  expect(stdout.endsWith("\n")).toBe(true);
  return stdout
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as JsonLine);
}

/** Databases on the target whose names begin with this one's: itself, staging, retired, previous. */
export async function databasesOf(name: string, side: Side = "target"): Promise<string[]> {
  const rows = await sql(urlOf(server(side), "postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY 1", [
    name,
  ]);
  return rows.map(({ datname }) => String(datname));
}

/** Backends of one process of pgditto, on both servers; their application names end in `<pid>@<host>`. */
export async function backendsOf(pid: number): Promise<string[]> {
  const found = await Promise.all(
    SIDES.map(async (side) => {
      const rows = await sql(
        urlOf(server(side), "postgres"),
        "SELECT application_name AS name, state, left(query, 100) AS query FROM pg_stat_activity WHERE application_name ~ $1",
        [`^pgditto .* ${pid}@`],
      );
      return rows.map((row) => `${side}: ${JSON.stringify(row)}`);
    }),
  );
  return found.flat();
}

/** Waits until `what` gives something; fails after `ms`. */
export async function until<T>(what: () => Promise<T> | T, ms = 15_000): Promise<NonNullable<Exclude<T, false>>> {
  for (const end = Date.now() + ms; ; await sleep(25)) {
    const value = await what();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${String(what)}`);
  }
}

/** A backend ends a moment after its connection. */
export async function expectNoBackends(pid: number): Promise<void> {
  await until(async () => (await backendsOf(pid)).length === 0, 3000).catch(async () => expect(await backendsOf(pid)).toEqual([]));
}

/** The name of the staging database that a run has made for this target by now. */
export async function stagingOf(target: string): Promise<string> {
  return await until(async () => (await databasesOf(`${target}__pgditto_`)).find((name) => /_[0-9a-z]{10}$/.test(name)));
}

/**
 * Sleeps where a copy is filled and nowhere else: `slow(anything, seconds)` is true, and takes its time only in a staging
 * database. In a CHECK it makes the copying of rows slow, in an index's expression the building of the index.
 */
export const SLOW = `CREATE FUNCTION public.slow(anyelement, seconds float8) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN IF current_database() ~ '__pgditto_' THEN PERFORM pg_catalog.pg_sleep(seconds); END IF; RETURN true; END$$;`;
