import { openSession, quoteName, sql } from "./sql.ts";

export interface TableChecksum {
  rows: number;
  /** Independent of the order of rows and of columns, and of the server's settings. `unpopulated` for such a view. */
  hash: string;
}

/**
 * What every table, leaf partition and materialized view holds, by `schema.table`. Each row is hashed as the text of its
 * columns in the order of their names; the hashes are added up, so that equal rows count as often as they are there.
 */
export async function tableChecksums(url: string): Promise<Record<string, TableChecksum>> {
  await using session = await openSession(url);
  await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  await session.query("SELECT set_config('search_path', '', true), set_config('row_security', 'off', true)");
  const { rows: tables } = await session.query<{ schema: string; name: string; kind: string; populated: boolean; columns: string[] }>(
    TABLES,
  );
  const result: Record<string, TableChecksum> = {};
  for (const { schema, name, kind, populated, columns } of tables) {
    const key = `${schema}.${name}`;
    if (!populated) {
      result[key] = { rows: 0, hash: "unpopulated" };
      continue;
    }
    const from = `${kind === "r" ? "ONLY " : ""}${quoteName(schema)}.${quoteName(name)}`;
    const line = `ROW(${columns.map((column) => `t.${quoteName(column)}`).join(", ")})::text`;
    const { rows } = await session.query<{ rows: string; hash: string }>(
      `SELECT count(*) AS rows, coalesce(sum(('x' || substr(md5(${line}), 1, 16))::bit(64)::bigint::numeric), 0)::text AS hash FROM ${from} t`,
    );
    result[key] = { rows: Number(rows[0]?.rows), hash: rows[0]?.hash ?? "" };
  }
  return result;
}

const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relispopulated AS populated,
    coalesce((SELECT json_agg(a.attname ORDER BY a.attname COLLATE "C") FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ORDER BY 1, 2`;

/** Every large object, by OID. */
export async function largeObjects(url: string): Promise<Record<string, unknown>> {
  const rows = await sql(
    url,
    `SELECT oid, length(lo_get(oid)) AS bytes, md5(lo_get(oid)) AS hash, pg_get_userbyid(lomowner) AS owner, lomacl::text AS acl,
       obj_description(oid, 'pg_largeobject') AS comment
     FROM pg_largeobject_metadata ORDER BY oid`,
  );
  return Object.fromEntries(rows.map(({ oid, ...facts }) => [String(oid), facts]));
}

/** `last_value is_called` of every sequence, by `schema.sequence`. */
export async function sequenceValues(url: string): Promise<Record<string, string>> {
  await using session = await openSession(url);
  const { rows } = await session.query<{ schema: string; name: string }>(
    "SELECT schemaname AS schema, sequencename AS name FROM pg_sequences ORDER BY 1, 2",
  );
  const result: Record<string, string> = {};
  for (const { schema, name } of rows) {
    const found = await session.query<{ value: string }>(
      `SELECT last_value || ' ' || is_called AS value FROM ${quoteName(schema)}.${quoteName(name)}`,
    );
    result[`${schema}.${name}`] = found.rows[0]?.value ?? "";
  }
  return result;
}

/** What pg_dump without `--create` does not show: properties, settings, comment and privileges of the database itself. */
export async function databaseFacts(url: string): Promise<Record<string, unknown>> {
  const [row] = await sql(
    url,
    `SELECT to_jsonb(d) - ARRAY['oid', 'datname', 'datdba', 'dattablespace', 'datfrozenxid', 'datminmxid', 'datlastsysoid', 'datacl', 'dathasloginevt'] AS database,
       pg_get_userbyid(d.datdba) AS owner, d.datacl::text AS acl, shobj_description(d.oid, 'pg_database') AS comment,
       (SELECT json_agg(json_build_object('role', coalesce(r.rolname, ''), 'settings', s.setconfig) ORDER BY r.rolname NULLS FIRST)
          FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid) AS settings
     FROM pg_database d WHERE d.datname = current_database()`,
  );
  return row ?? {};
}

/** Everything there is to compare but the schema's text: see `dumpText`. */
export async function contents(url: string): Promise<Record<string, unknown>> {
  return { tables: await tableChecksums(url), largeObjects: await largeObjects(url), sequences: await sequenceValues(url) };
}
