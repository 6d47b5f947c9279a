import { PgdittoError } from "../errors.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import { withFacts } from "../postgres/server-error.ts";
import type { Session } from "../postgres/session.ts";
import type { SchemaEntry } from "../schema/entries.ts";
import { createDatabaseSql } from "./create-database.ts";
import { dropSubscriptions } from "./subscriptions.ts";
import { renameDatabase } from "./rename-database.ts";

/** What the comment on a staging database says, until the source's own comment takes its place. */
interface StagingNote {
  target: string;
  run: string;
  host: string;
  pid: number;
  started: string;
}

export interface StagingOptions {
  /** pg_dump's entry for the database itself. */
  entry: SchemaEntry;
  /** The name in it. */
  sourceName: string;
  note: StagingNote;
  signal: AbortSignal;
}

/** Creates the staging database from template0 as the source's CREATE DATABASE describes it: encoding, locale, tablespace. */
export async function createStaging(session: Session, staging: string, options: StagingOptions): Promise<void> {
  const statement = createDatabaseSql(options.entry.sql, options.sourceName, staging, session.serverVersion);
  if (statement === undefined) throw new PgdittoError("dump", "pg_dump wrote no CREATE DATABASE statement.");
  try {
    await session.run(statement, options.signal);
  } catch (error) {
    if (!(error instanceof PgdittoError) || error.code === "cancelled") throw error;
    throw notCreated(error, staging, { hint: error.hint ?? createHint(error), detail: `Statement: ${statement}` });
  }
  await claimStaging(session, staging, options);
}

export function notCreated(error: PgdittoError, staging: string, facts: { hint: string | undefined; detail: string }): PgdittoError {
  return withFacts(error, { object: `DATABASE ${staging}`, task: "create staging database", ...facts }, "schema");
}

/** Says whose it is, should the run die, and gives it to the source's owner. */
export async function claimStaging(session: Session, staging: string, options: StagingOptions): Promise<void> {
  await session.run(
    `COMMENT ON DATABASE ${quoteIdent(staging)} IS ${quoteLiteral(`pgditto staging ${JSON.stringify(options.note)}`)}`,
    options.signal,
  );
  // the owner at once: as pg_database_owner it holds the schema public, which its tables are made in
  const owner = renameDatabase(options.entry.sql, options.sourceName, staging)
    .replace(/^CREATE DATABASE [^]*?;$/m, "")
    .trim();
  if (owner !== "") await applyProperty(session, owner, `DATABASE ${options.sourceName}`, options.signal);
}

/** Settings, privileges and comment of the database: applied last, because settings would act on our own sessions. */
export async function applyDatabaseProperties(
  session: Session,
  staging: string,
  options: { entries: readonly SchemaEntry[]; sourceName: string; signal: AbortSignal },
): Promise<void> {
  await session.run(`COMMENT ON DATABASE ${quoteIdent(staging)} IS NULL`, options.signal);
  for (const entry of options.entries) {
    const sql = renameDatabase(entry.sql, options.sourceName, staging)
      // the source may be a copy itself; its mark is not part of its data
      .replace(/^ALTER DATABASE .* SET "pgditto\.origin" TO .*;$/gm, "")
      .trim();
    if (sql !== "") await applyProperty(session, sql, `${entry.type} ${options.sourceName}`, options.signal);
  }
}

async function applyProperty(session: Session, sql: string, object: string, signal: AbortSignal): Promise<void> {
  try {
    await session.run(sql, signal);
  } catch (error) {
    if (!(error instanceof PgdittoError) || error.code === "cancelled") throw error;
    throw withFacts(error, { object, task: "database properties", detail: `Statement: ${sql}` }, "schema");
  }
}

/** Ends whoever is connected and drops the database. A missing one is no error. Returns the replication slots that its subscriptions used. */
export async function dropDatabase(session: Session, name: string): Promise<string[]> {
  const [row] = await session.query<{ template: boolean }>(
    "SELECT datistemplate AS template FROM pg_catalog.pg_database WHERE datname = $1",
    [name],
  );
  if (!row) return [];
  if (row.template) await session.run(`ALTER DATABASE ${quoteIdent(name)} IS_TEMPLATE false`);
  const slots = await dropSubscriptions(session, name);
  if (session.serverVersion >= 130_000) {
    await session.run(`DROP DATABASE IF EXISTS ${quoteIdent(name)} WITH (FORCE)`);
    return slots;
  }
  await terminateSessions(session, name);
  await session.run(`DROP DATABASE IF EXISTS ${quoteIdent(name)}`);
  return slots;
}

/** Ends every session of the database that this role may end. */
export async function terminateSessions(session: Session, name: string): Promise<void> {
  await session.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()
       AND (usesysid IS NULL OR pg_catalog.pg_has_role(usesysid, 'MEMBER') OR pg_catalog.pg_has_role('pg_signal_backend', 'MEMBER'))
       AND NOT (COALESCE((SELECT rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = usesysid), false)
         AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER))`,
    [name],
  );
}

function createHint(error: PgdittoError): string | undefined {
  if (error.sqlstate === "42501") return "Give the role the right to create databases: ALTER ROLE … CREATEDB.";
  if (error.sqlstate === "42601") return "The target's server is older than the source's and does not know this kind of locale.";
  if (/locale|collation/i.test(error.message))
    return "The source's locale is not installed on the target's machine: locale-gen (Debian: dpkg-reconfigure locales), then restart PostgreSQL there.";
  if (error.sqlstate === "53100") return "The target's disk is full.";
  return undefined;
}
