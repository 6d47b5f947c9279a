import { expect, test } from "vitest";

import { createDatabaseSql } from "./create-database.ts";

const HEAD = "CREATE DATABASE main WITH TEMPLATE = template0 ENCODING = 'UTF8'";
const NEW = "CREATE DATABASE \"new\" WITH TEMPLATE = template0 ENCODING = 'UTF8'";

test.each([
  [180_004, " LOCALE_PROVIDER = libc LOCALE = 'C'", " LOCALE_PROVIDER = libc LOCALE = 'C'"],
  [150_000, " LOCALE_PROVIDER = libc LOCALE = 'C'", " LOCALE_PROVIDER = libc LOCALE = 'C'"],
  [149_999, " LOCALE_PROVIDER = libc LOCALE = 'C'", " LOCALE = 'C'"],
  [130_000, " LOCALE = 'C'", " LOCALE = 'C'"],
  [120_022, " LOCALE_PROVIDER = libc LOCALE = 'en_US.utf8'", " LC_COLLATE = 'en_US.utf8' LC_CTYPE = 'en_US.utf8'"],
  [
    120_022,
    " LOCALE_PROVIDER = libc LC_COLLATE = 'C' LC_CTYPE = 'de_DE' TABLESPACE = \" LOCALE = 'x'\"",
    " LC_COLLATE = 'C' LC_CTYPE = 'de_DE' TABLESPACE = \" LOCALE = 'x'\"",
  ],
  // what an old server cannot do is for it to refuse
  [140_000, " LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de'", " LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de'"],
])("for server %d:%s", (serverVersion, before, after) => {
  const sql = `${HEAD}${before};\n\n\nALTER DATABASE main OWNER TO postgres;`;
  expect(createDatabaseSql(sql, "main", "new", serverVersion)).toBe(`${NEW}${after};`);
});

test("a database with such a name", () => {
  const name = "a LOCALE_PROVIDER = libc LOCALE = 'x'";
  expect(createDatabaseSql(`CREATE DATABASE "${name}" WITH TEMPLATE = template0;`, "b", "c", 120_000)).toBe(
    `CREATE DATABASE "${name}" WITH TEMPLATE = template0;`,
  );
});

test("no statement", () => {
  expect(createDatabaseSql("ALTER DATABASE main OWNER TO postgres;", "main", "new", 180_000)).toBeUndefined();
});
