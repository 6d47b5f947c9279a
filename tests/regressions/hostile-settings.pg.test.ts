import { expect, test } from "vitest";
import { sync } from "../../src/index.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { tableChecksums } from "../support/oracle.ts";
import { server, urlOf } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

/** What somebody may have set for the role that copies; each of them alters or ends a copy that does not look out. */
const SETTINGS = [
  "array_nulls = off", // "malformed array" for NULL in an array that travels as text
  "transform_null_equals = on",
  "quote_all_identifiers = on",
  "standard_conforming_strings = off",
  "extra_float_digits = -10",
  "bytea_output = escape",
  "DateStyle = 'SQL, DMY'",
  "client_encoding = 'LATIN1'",
  "search_path = 'pg_temp, nowhere'",
  "default_transaction_read_only = on",
  "default_transaction_isolation = serializable",
  "statement_timeout = '2s'",
  "lock_timeout = '1ms'",
  "idle_in_transaction_session_timeout = '300ms'",
  "session_replication_role = replica",
];

test("settings of the role that copies change nothing, on either side", async () => {
  const role = uniqueName("hostile");
  for (const side of ["source", "target"] as const) {
    await sql(urlOf(server(side), "postgres"), `CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD 'secret'`);
    for (const setting of SETTINGS) await sql(urlOf(server(side), "postgres"), `ALTER ROLE ${role} SET ${setting}`);
  }
  const as = (side: "source" | "target", name: string): string => urlOf({ ...server(side), user: role, password: "secret" }, name);
  try {
    await using source = await freshDatabase("source", {
      sql: [
        "CREATE TYPE pair AS (a int, b text)",
        "CREATE TABLE t (pairs pair[], f float8, raw bytea, at timestamptz, word text CHECK (word IS NULL OR word <> 'x'))",
        `INSERT INTO t VALUES (ARRAY[ROW(1, 'é')::pair, NULL], 0.1 + 0.2, '\\x00ff', '2024-02-03 04:05:06.789+00', 'back\\slash'), (NULL, NULL, NULL, NULL, NULL)`,
      ],
    });
    await using target = reservedDatabase("target");
    await sync({ source: as("source", source.name), target: as("target", target.name) });
    expect(await tableChecksums(target.url)).toEqual(await tableChecksums(source.url));
  } finally {
    for (const side of ["source", "target"] as const) await sql(urlOf(server(side), "postgres"), `DROP ROLE ${role}`);
  }
});
