import { expect } from "vitest";
import { type SyncEvent, type SyncResult, sync } from "../../src/index.ts";
import type { RunOptions } from "../../src/index.ts";
import { connect } from "../../src/postgres/connect.ts";
import { findPgDump } from "../../src/schema/pg-dump/find-pg-dump.ts";
import { runPgDump } from "../../src/schema/pg-dump/run-pg-dump.ts";
import { freshDatabase, type FreshDatabase, type FreshDatabaseOptions, reservedDatabase } from "./databases.ts";
import { dumpText } from "./dump-text.ts";
import { contents, databaseFacts } from "./oracle.ts";
import { server } from "./servers.ts";
import { sql } from "./sql.ts";

type Named = Pick<FreshDatabase, "url">;

export interface Copied extends AsyncDisposable {
  source: FreshDatabase;
  target: FreshDatabase;
  result: SyncResult;
  events: SyncEvent[];
}

/** True where both servers are of one version, so that catalogs and scripts can be compared as text. */
export function sameMajor(): boolean {
  return server("source").major === server("target").major;
}

/** Runs `sync` from one database to another and collects its events. */
export async function copy(
  source: Named,
  target: Named,
  options: Omit<RunOptions, "source" | "target"> = {},
): Promise<{ result: SyncResult; events: SyncEvent[] }> {
  const events: SyncEvent[] = [];
  const result = await sync({
    ...options,
    source: source.url,
    target: target.url,
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return { result, events };
}

/** A source made by `database`, copied to a target that did not exist, and found to be the same there. */
export async function copied(database: FreshDatabaseOptions, options: Omit<RunOptions, "source" | "target"> = {}): Promise<Copied> {
  const source = await freshDatabase("source", database);
  const target = reservedDatabase("target");
  const dispose = async () => {
    await target[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  };
  try {
    const { result, events } = await copy(source, target, options);
    await expectSame(source, target);
    return { source, target, result, events, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Rows, large objects, sequences, the database's own properties, and the schema as pg_dump writes it. */
export async function expectSame(source: Named, target: Named): Promise<void> {
  expect(await contents(target.url)).toEqual(await contents(source.url));
  expect(await factsOf(target.url)).toEqual(await factsOf(source.url));
  if (!sameMajor()) return;
  const [there, here] = await Promise.all([schemaText(source.url), schemaText(target.url)]);
  expect(there).toContain("PostgreSQL database dump complete");
  expect(here).toBe(there);
}

/** `databaseFacts` without pgditto's mark; of two versions, only what both have. */
export async function factsOf(url: string): Promise<Record<string, unknown>> {
  // The order of privileges depends on the order in which they were given, and means nothing.
  const [row] = await sql(
    url,
    "SELECT ARRAY(SELECT unnest(datacl)::text ORDER BY 1) AS acl FROM pg_database WHERE datname = current_database()",
  );
  const facts: Record<string, unknown> = { ...(await databaseFacts(url)), acl: row?.["acl"] };
  const settings = (facts["settings"] ?? []) as Array<{ role: string; settings: string[] }>;
  const unmarked = settings
    .map(({ role, settings: list }) => ({ role, settings: list.filter((setting) => !setting.startsWith("pgditto.origin=")) }))
    .filter(({ settings: list }) => list.length > 0);
  if (sameMajor()) return { ...facts, settings: unmarked };
  const { encoding, datcollate, datctype, datconnlimit } = facts["database"] as Record<string, unknown>;
  return { ...facts, database: { encoding, datcollate, datctype, datconnlimit }, settings: unmarked };
}

/** The installed pg_dump's text; where none is installed, that of the one in WASM. */
export async function schemaText(url: string): Promise<string> {
  const native = await dumpText(url);
  if (native !== undefined) return native;
  const { hostname, port, username, password, pathname } = new URL(url);
  const [version] = await sql(url, "SELECT current_setting('server_version_num')::int AS n");
  const program = await findPgDump({
    choice: "wasm",
    platform: process.platform,
    sourceVersion: Number(version?.["n"]),
  });
  const script = await runPgDump({
    program,
    args: ["--schema-only"],
    connect: () =>
      connect(
        {
          side: "source",
          host: hostname,
          port: Number(port),
          user: decodeURIComponent(username),
          database: decodeURIComponent(pathname.slice(1)),
          password: decodeURIComponent(password),
          ssl: { mode: "disable" },
          connectTimeoutMs: 10_000,
        },
        { applicationName: "test" },
      ),
  });
  return script
    .split("\n")
    .filter((line) => !/^\\(?:un)?restrict |^-- Dumped /.test(line))
    .join("\n");
}

/** Codes of a run's warnings, but for the machine's pg_dump being an old one. */
export function warningCodes(events: readonly SyncEvent[]): string[] {
  const codes = events.flatMap((event) => (event.type === "message" && event.level === "warning" ? [event.code] : []));
  return codes.filter((code) => code !== "pg-dump-old");
}

/** Databases of the target's cluster whose names begin like the target's: staging, retired and previous ones too. */
export async function databasesLike(database: FreshDatabase): Promise<string[]> {
  const admin = database.url.replace(/\/[^/]*$/, "/postgres");
  const rows = await sql(admin, "SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY 1", [database.name]);
  return rows.map(({ datname }) => String(datname));
}
