import { FIRST_NORMAL_OID } from "../postgres/first-normal-oid.ts";
import type { Session } from "../postgres/session.ts";

/** The setting that marks a database as made by pgditto. */
export const ORIGIN_SETTING = "pgditto.origin";

export interface ExistingTarget {
  oid: number;
  owner: string;
  /** The value of its mark; undefined when pgditto did not make it. */
  origin: string | undefined;
  mayReplace: boolean;
}

/** The target database as the cluster's catalog shows it; undefined when there is none. */
export async function readExisting(session: Session, name: string): Promise<ExistingTarget | undefined> {
  const [row] = await session.query<{ oid: number; owner: string; settings: string[] | null; may: boolean }>(
    `SELECT d.oid, pg_catalog.pg_get_userbyid(d.datdba) AS owner, s.setconfig AS settings,
       pg_catalog.pg_has_role(d.datdba, 'USAGE') AS may
     FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0
     WHERE d.datname = $1`,
    [name],
  );
  if (!row) return undefined;
  const mark = row.settings?.find((setting) => setting.startsWith(`${ORIGIN_SETTING}=`));
  return { oid: row.oid, owner: row.owner, origin: mark?.slice(ORIGIN_SETTING.length + 1), mayReplace: row.may };
}

/** Catalogs of what may be there without a table, function, type or schema of its own. */
const MORE = [
  "pg_am",
  "pg_cast",
  "pg_collation",
  "pg_conversion",
  "pg_default_acl",
  "pg_event_trigger",
  "pg_foreign_data_wrapper",
  "pg_language",
  "pg_operator",
  "pg_publication",
  "pg_ts_config",
  "pg_ts_dict",
];

/** True when the database holds nothing that a user made. `session` is connected to it. */
export async function isEmptyDatabase(session: Session): Promise<boolean> {
  const [row] = await session.query<{ used: boolean }>(`
SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= ${FIRST_NORMAL_OID} AND relpersistence <> 't')
  OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid >= ${FIRST_NORMAL_OID})
  OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid >= ${FIRST_NORMAL_OID})
  OR EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE oid >= ${FIRST_NORMAL_OID} AND nspname !~ '^pg_')
  OR EXISTS (SELECT FROM pg_catalog.pg_extension WHERE oid >= ${FIRST_NORMAL_OID})
  OR EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
  OR ${MORE.map((catalog) => `EXISTS (SELECT FROM pg_catalog.${catalog} WHERE oid >= ${FIRST_NORMAL_OID})`).join(" OR ")} AS used`);
  return row?.used === false;
}
