import { type CliOptions, type CliResult } from "./run-cli.ts";
import { databasesOf, type JsonLine, jsonLines, runBetween, startBetween, until } from "./cli-run.ts";
import { sql } from "./sql.ts";

type Named = { url: string; name: string };

/**
 * `slow_once(anything, seconds)` is true, and takes its time only in the run that made the staging database: one that goes on with it has
 * another id in the names of its sessions.
 */
export const SLOW_ONCE = `CREATE FUNCTION public.slow_once(anyelement, seconds float8) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN IF current_setting('application_name') ~ ('^pgditto ' || right(current_database(), 10)) THEN PERFORM pg_catalog.pg_sleep(seconds); END IF; RETURN true; END$$;`;

/** What a killed run has left, as the test finds it by SQL. */
export interface Left {
  /** URL of the staging database. */
  url: string;
  name: string;
}

/**
 * Until no transaction is at work that is older than the source's rows: transactions of all databases of a server count, and other tests have
 * some. What was written while one was at work cannot be proven.
 */
export async function settled(source: { url: string }): Promise<void> {
  const [now] = await sql(source.url, "SELECT txid_current()::text AS id");
  await until(async () => {
    const [row] = await sql(source.url, "SELECT txid_snapshot_xmin(txid_current_snapshot()) > $1::bigint AS settled", [now?.["id"]]);
    return row?.["settled"] === true;
  }, 60_000);
}

/** Runs until `reached` is true of the staging database, then kills the process at once. */
export async function killedWhen(
  source: { url: string },
  target: Named,
  reached: (staging: Left) => Promise<boolean>,
  options: CliOptions & { args?: readonly string[]; unsettled?: boolean } = {},
): Promise<Left> {
  if (options.unsettled !== true) await settled(source);
  await using cli = await startBetween(source, target, [...(options.args ?? []), "--json"], options);
  const staging = await until(async () => {
    const [name] = (await databasesOf(`${target.name}__pgditto_`)).filter((found) => /_[0-9a-z]{10}$/.test(found));
    if (name === undefined) return false;
    const url = new URL(target.url);
    url.pathname = `/${encodeURIComponent(name)}`;
    const left = { url: url.href, name };
    // the database is there before its journal is
    return (await reached(left).catch(() => false)) && left;
  }, 30_000);
  cli.kill("SIGKILL");
  await cli.result;
  return staging;
}

/** How many rows the journal has of what the condition tells. */
export async function journaled(staging: Left, table: "copies" | "applied", condition = "true"): Promise<number> {
  const schema = `pgditto_${staging.name.slice(-10)}`;
  const [row] = await sql(staging.url, `SELECT count(*)::int AS n FROM ${schema}.${table} WHERE ${condition}`);
  return Number(row?.["n"]);
}

export interface Resumed extends CliResult {
  events: JsonLine[];
  /** The line that tells what stays and what is copied again. */
  told: string;
}

/** Runs with `--resume` to its end. */
export async function resume(
  source: { url: string },
  target: Named,
  args: readonly string[] = [],
  options: CliOptions = {},
): Promise<Resumed> {
  const result = await runBetween(source, target, ["--resume", "--json", ...args], options);
  const events = jsonLines(result.stdout);
  const line = events.find((event) => ["resumed", "nothing-to-resume", "schema-changed"].includes(String(event["code"])));
  return { ...result, events, told: typeof line?.["message"] === "string" ? line["message"] : "" };
}
