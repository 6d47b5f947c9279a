import { randomBytes } from "node:crypto";
import { fillShop } from "../../src/demo/shop.ts";
import type { Side } from "../../src/errors.ts";
import { server, type TestServer, urlOf } from "./servers.ts";
import { openSession, quoteName, type Row, sql } from "./sql.ts";

export interface FreshDatabase extends AsyncDisposable {
  side: Side;
  name: string;
  url: string;
  sql: (text: string, params?: readonly unknown[]) => Promise<Row[]>;
}

export interface FreshDatabaseOptions {
  /** Exactly this name; the caller makes sure that it is unique among all test files. */
  name?: string;
  /** Default `template0`. */
  template?: string;
  /** More of `CREATE DATABASE`, for example `ENCODING 'LATIN1' LOCALE 'C'`. */
  options?: string;
  /** Run in the new database, several statements allowed. */
  sql?: string | readonly string[];
}

/** A name that no other test uses, in this run or another. */
export function uniqueName(prefix = "t"): string {
  return `${prefix}_${process.pid}_${randomBytes(4).toString("hex")}`;
}

/** A database on one of the two servers; disposal drops it together with its staging databases and its previous version. */
export async function freshDatabase(side: Side, options: FreshDatabaseOptions = {}): Promise<FreshDatabase> {
  const on = server(side);
  const name = options.name ?? uniqueName();
  const url = urlOf(on, name);
  await sql(
    urlOf(on, "postgres"),
    `CREATE DATABASE ${quoteName(name)} TEMPLATE ${quoteName(options.template ?? "template0")} ${options.options ?? ""}`,
  );
  try {
    for (const text of [options.sql ?? []].flat()) await sql(url, text);
  } catch (error) {
    await dropDatabase(on, name);
    throw error;
  }
  return reservedDatabase(side, name);
}

/** A database that does not exist yet, or not any more: what stands under this name at the end is dropped. */
export function reservedDatabase(side: Side, name: string = uniqueName()): FreshDatabase {
  const on = server(side);
  const url = urlOf(on, name);
  return {
    side,
    name,
    url,
    sql: (text, params) => sql(url, text, params),
    async [Symbol.asyncDispose]() {
      await dropDatabase(on, name);
    },
  };
}

/** A copy of the demo's shop. It is filled once a run and scale; every further one is a clone. Default scale 0.02: about 6,000 rows. */
export async function freshShop(side: Side, options: { scale?: number; name?: string } = {}): Promise<FreshDatabase> {
  const template = await shopTemplate(server(side), options.scale ?? 0.02);
  return await freshDatabase(side, { template, ...(options.name !== undefined && { name: options.name }) });
}

async function shopTemplate(on: TestServer, scale: number): Promise<string> {
  const template = `${TEMPLATE_PREFIX}${String(scale).replace(".", "_")}`;
  await using admin = await openSession(urlOf(on, "postgres"));
  // One worker fills it, the others wait; the lock goes with the session.
  await admin.query("SELECT pg_advisory_lock(hashtext($1))", [template]);
  // It becomes a template at the end only: what a dead worker left half-filled is none.
  const { rows } = await admin.query("SELECT FROM pg_database WHERE datname = $1 AND datistemplate", [template]);
  if (rows.length > 0) return template;
  await dropDatabase(on, template);
  await admin.query(`CREATE DATABASE ${quoteName(template)} TEMPLATE template0`);
  {
    await using session = await openSession(urlOf(on, template));
    await fillShop((text) => session.query(text), scale);
  }
  await admin.query(`ALTER DATABASE ${quoteName(template)} IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  await endSessions(admin, template);
  return template;
}

const TEMPLATE_PREFIX = "pgditto_test_shop_";

/** For the end of the run, before anybody looks for databases that were left. */
export async function dropTemplates(on: TestServer): Promise<void> {
  const found = await sql(urlOf(on, "postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [TEMPLATE_PREFIX]);
  for (const { datname } of found) await dropDatabase(on, String(datname));
}

/** Drops it, `<name>__pgditto_…` and `<name>_previous`, and ends whoever is connected; PostgreSQL 12 has no FORCE. */
async function dropDatabase(on: TestServer, name: string): Promise<void> {
  await using admin = await openSession(urlOf(on, "postgres"));
  const { rows } = await admin.query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE datname = $1 OR starts_with(datname, $1 || '__pgditto_') OR datname = $1 || '_previous'",
    [name],
  );
  for (const { datname } of rows) {
    await admin.query(`ALTER DATABASE ${quoteName(datname)} IS_TEMPLATE false ALLOW_CONNECTIONS false`).catch(ignoreMissing);
    await endSessions(admin, datname);
    await admin.query(`DROP DATABASE IF EXISTS ${quoteName(datname)}`);
  }
}

/** DROP DATABASE itself waits 5 s for sessions that are on their way out. */
async function endSessions(admin: { query(text: string, params: unknown[]): Promise<unknown> }, database: string): Promise<void> {
  await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", [database]);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "3D000")) throw error;
}
