import { readIdentity } from "../catalog/database.ts";
import type { Removable, RemovableKind } from "../catalog/removable/removable.ts";
import { PgdittoError } from "../errors.ts";
import { displayIdent, quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { isConnectionLoss } from "../postgres/sqlstate.ts";
import { patiently } from "./patiently.ts";

/** Why something is off: for a reload of its rows, and then it comes back by itself; or because somebody asked for it. */
export type LedgerPurpose = "reload" | "constraints";

/** What is off at the moment, and the exact statement that puts it back. */
export interface LedgerEntry {
  /** In the order in which things were taken off. */
  id: number;
  /** The run that took it off. */
  run: string;
  purpose: LedgerPurpose;
  kind: RemovableKind;
  schema: string;
  table: string;
  name: string;
  /** `off`; or `not-valid`: it is back, and only its validation is missing. */
  state: "off" | "not-valid";
  putBack: string;
  validate: string | undefined;
  /** ISO 8601. */
  taken: string;
  /** The database that it was taken off in, when it is not this one: the ledger came here with a copy. */
  elsewhere: string | undefined;
}

const LEDGER = "pgditto.ledger";

/** A statement of the ledger waits so long for its lock, unless told otherwise; everything behind it waits with it. */
const LOCK_TIMEOUT = "60s";

/**
 * What the ledger of this database holds; nothing where there is none.
 * @throws PgdittoError `preflight` when it belongs to a role that could make ours run its statements.
 */
export async function readLedger(session: Session): Promise<LedgerEntry[]> {
  if (!(await isThere(session))) return [];
  type Row = Omit<LedgerEntry, "id" | "validate" | "elsewhere"> & {
    id: string;
    validate: string | null;
    database: string;
    oid: string;
    system: string;
  };
  const rows = await session.query<Row>(
    `SELECT id, run, purpose, kind, "schema", "table", name, state, put_back AS "putBack", validate,
       pg_catalog.to_char(taken AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS taken, database, database_oid AS oid, system
     FROM ${LEDGER} ORDER BY id`,
  );
  const here = await readIdentity(session);
  return rows.map(({ database, oid, system, id, validate, ...row }) => {
    const same = Number(oid) === here.oid && (system === here.systemIdentifier || system === "" || here.systemIdentifier === "");
    return { ...row, id: Number(id), validate: validate ?? undefined, elsewhere: same ? undefined : database };
  });
}

/**
 * Nobody else writes into it: neither by ALTER DEFAULT PRIVILEGES nor as a member of pg_write_all_data. Row security without a policy lets its owner
 * and superusers through alone (manual 5.9).
 */
const CLOSE = `ALTER TABLE ${LEDGER} ENABLE ROW LEVEL SECURITY;
DO $$ DECLARE other pg_catalog.text; BEGIN
  FOR other IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
    FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a WHERE c.oid = '${LEDGER}'::pg_catalog.regclass AND a.grantee <> c.relowner
  LOOP EXECUTE 'REVOKE ALL ON ${LEDGER} FROM ' || other || ' CASCADE'; END LOOP;
END $$;`;

/** Makes the ledger where there is none. @throws PgdittoError `preflight` when the role may not, or when it is not to be trusted. */
export async function openLedger(session: Session): Promise<void> {
  if (await isThere(session)) return;
  try {
    await session.run(`BEGIN; CREATE SCHEMA IF NOT EXISTS pgditto;
CREATE TABLE IF NOT EXISTS ${LEDGER} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run text NOT NULL, purpose text NOT NULL, kind text NOT NULL,
  "schema" text NOT NULL, "table" text NOT NULL, name text NOT NULL, state text NOT NULL DEFAULT 'off', put_back text NOT NULL, validate text,
  taken timestamptz NOT NULL DEFAULT pg_catalog.now(), database text NOT NULL, database_oid bigint NOT NULL, system text NOT NULL);
COMMENT ON TABLE ${LEDGER} IS 'What pgditto has taken off in this database, and the statements that put it back: pgditto repair, pgditto constraints restore.';
${CLOSE} COMMIT`);
  } catch (error) {
    await session.run("ROLLBACK");
    if (!(error instanceof PgdittoError) || error.sqlstate !== "42501") throw error;
    throw new PgdittoError("preflight", "The target's role may not create the schema pgditto, where what is taken off is written down.", {
      object: "schema pgditto",
      side: "target",
      sqlstate: error.sqlstate,
      hint: `GRANT CREATE ON DATABASE ${displayIdent(session.config.database)} TO ${displayIdent(session.config.user)};`,
      cause: error,
    });
  }
  await isThere(session);
}

/**
 * Takes things off, in this order, each in one transaction with the row that says how it is put back: whatever dies, neither is lost.
 * @param options.attempts In all, where somebody else's lock is in the way; default 1.
 * @param options.lockTimeout How long one attempt waits for such a lock; default 60 s.
 * @param options.taken Told of each when it is off.
 */
export async function takeOff(
  session: Session,
  removables: readonly Removable[],
  options: {
    run: string;
    purpose: LedgerPurpose;
    signal: AbortSignal;
    attempts?: number;
    lockTimeout?: string;
    taken?: (removable: Removable) => void;
  },
): Promise<void> {
  if (removables.length === 0) return;
  await openLedger(session);
  const { systemIdentifier, oid, name } = await readIdentity(session);
  for (const removable of removables) {
    const sql = `${notedOff(removable, options, [quoteLiteral(name), oid, quoteLiteral(systemIdentifier)])}; ${removable.takeOff}`;
    await patiently(options.attempts ?? 1, options.signal, () => inTransaction(session, sql, options.signal, options.lockTimeout));
    options.taken?.(removable);
  }
}

/** A constraint that was back and waited to be validated is off again: its one row says so, and it will be validated. */
function notedOff(
  removable: Removable,
  { run, purpose }: { run: string; purpose: LedgerPurpose },
  place: ReadonlyArray<string | number>,
): string {
  const { kind, table, name, putBack, validate } = removable;
  const what = [kind, table.schema, table.name, name].map(quoteLiteral).join(", ");
  return `WITH waiting AS (DELETE FROM ${LEDGER} WHERE state = 'not-valid' AND (kind, "schema", "table", name) = (${what}) RETURNING validate)
    INSERT INTO ${LEDGER} (run, purpose, kind, "schema", "table", name, put_back, validate, database, database_oid, system)
    SELECT ${quoteLiteral(run)}, ${quoteLiteral(purpose)}, ${what}, ${quoteLiteral(putBack)},
      COALESCE(${validate === undefined ? "NULL" : quoteLiteral(validate)}, (SELECT pg_catalog.max(validate) FROM waiting)), ${place.join(", ")}`;
}

/** Puts one thing back, as far as a single transaction can: what is to be validated yet stays in the ledger. */
export async function putBackEntry(session: Session, entry: LedgerEntry, signal: AbortSignal): Promise<void> {
  await inTransaction(session, `${entry.putBack}; ${notedBack(entry)}`, signal);
}

/** Notes that somebody else has put it back. */
export async function markBack(session: Session, entry: LedgerEntry, signal: AbortSignal): Promise<void> {
  await inTransaction(session, notedBack(entry), signal);
}

function notedBack({ id, validate }: LedgerEntry): string {
  return validate === undefined ? `DELETE FROM ${LEDGER} WHERE id = ${id}` : `UPDATE ${LEDGER} SET state = 'not-valid' WHERE id = ${id}`;
}

/** Proves a constraint that is back, for the rows that are there. */
export async function validateEntry(session: Session, entry: LedgerEntry, signal: AbortSignal): Promise<void> {
  await inTransaction(session, `${entry.validate ?? ""}; DELETE FROM ${LEDGER} WHERE id = ${entry.id}`, signal);
}

/**
 * Nothing is left behind where nothing is off any more. Its schema stays when there is something else in it, and an empty ledger, which does no
 * harm, where somebody holds it (a pg_dump) or an event trigger refuses the DROP.
 */
export async function closeLedger(session: Session, signal?: AbortSignal): Promise<void> {
  if (!(await isThere(session))) return;
  try {
    // nobody writes in it between the look and the drop
    await session.run(
      `DO $$ BEGIN
  SET LOCAL lock_timeout = '5s';
  LOCK TABLE ${LEDGER} IN ACCESS EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM ${LEDGER}) THEN RETURN; END IF;
  DROP TABLE ${LEDGER};
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
    AND refobjid = 'pgditto'::pg_catalog.regnamespace) THEN DROP SCHEMA pgditto; END IF;
END $$`,
      signal,
    );
  } catch (error) {
    if (!(error instanceof PgdittoError) || error.code === "cancelled" || isConnectionLoss(error.sqlstate)) throw error;
  }
}

async function inTransaction(session: Session, sql: string, signal: AbortSignal, lockTimeout = LOCK_TIMEOUT): Promise<void> {
  try {
    await session.run(`BEGIN; SET LOCAL lock_timeout = '${lockTimeout}'; SET LOCAL synchronous_commit = on; ${sql}; COMMIT`, signal);
  } catch (error) {
    if (session.alive) await session.run("ROLLBACK");
    throw error;
  }
}

/**
 * Whether there is a ledger. Its statements are run with our rights, and its triggers would be: so it has to belong to us, or to a superuser,
 * and nobody else may write in it (compare CVE-2018-1058).
 */
async function isThere(session: Session): Promise<boolean> {
  const rows = await session.query<{ what: string; relation: boolean; owner: string; trusted: boolean; open: boolean }>(`
SELECT o.what, o.relation, o.open, r.rolname AS owner, (r.rolsuper OR r.rolname = CURRENT_USER) AND o.usable AS trusted
FROM (
  SELECT 'The schema pgditto' AS what, false AS relation, nspowner AS owner,
    pg_catalog.has_schema_privilege(oid, 'USAGE') AS usable, false AS open FROM pg_catalog.pg_namespace WHERE nspname = 'pgditto'
  UNION ALL SELECT 'The table ${LEDGER}', true, c.relowner, pg_catalog.pg_has_role(c.relowner, 'USAGE'),
    NOT c.relrowsecurity OR EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid)
    OR EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee <> c.relowner AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'))
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) a
      WHERE t.attrelid = c.oid AND a.grantee <> c.relowner AND a.privilege_type IN ('INSERT', 'UPDATE')) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'pgditto' AND c.relname = 'ledger'
) o JOIN pg_catalog.pg_roles r ON r.oid = o.owner`);
  const strange = rows.find((row) => !row.trusted);
  if (strange)
    throw untrusted(
      `${strange.what} belongs to ${displayIdent(strange.owner)}: the target's role may not use it, or would run its statements.`,
      `Connect to the target as ${displayIdent(strange.owner)}.`,
    );
  if (rows.some(({ open }) => open))
    throw untrusted(
      `Others than its owner may write into ${LEDGER}, whose statements the target's role would run.`,
      `Look at what it holds. If all of that is pgditto's: REVOKE what is granted on it, drop its policies, and ALTER TABLE ${LEDGER} ENABLE ROW LEVEL SECURITY;`,
    );
  return rows.some((row) => row.relation);
}

function untrusted(message: string, hint: string): PgdittoError {
  return new PgdittoError("preflight", message, { object: LEDGER, side: "target", hint });
}
