import { expect, test } from "vitest";

import { renameDatabase } from "./rename-database.ts";

test.each([
  ["CREATE DATABASE main WITH TEMPLATE = template0;", 'CREATE DATABASE "new" WITH TEMPLATE = template0;'],
  ['CREATE DATABASE "main" WITH TEMPLATE = template0;', 'CREATE DATABASE "new" WITH TEMPLATE = template0;'],
  ["ALTER DATABASE main OWNER TO main;", 'ALTER DATABASE "new" OWNER TO main;'],
  ["ALTER DATABASE main SET search_path TO 'main', 'DATABASE main';", "ALTER DATABASE \"new\" SET search_path TO 'main', 'DATABASE main';"],
  ["ALTER ROLE main IN DATABASE main SET work_mem TO '1MB';", "ALTER ROLE main IN DATABASE \"new\" SET work_mem TO '1MB';"],
  [
    "COMMENT ON DATABASE main IS 'DATABASE main, it''s DATABASE main';",
    "COMMENT ON DATABASE \"new\" IS 'DATABASE main, it''s DATABASE main';",
  ],
  ['GRANT ALL ON DATABASE main TO "DATABASE main";', 'GRANT ALL ON DATABASE "new" TO "DATABASE main";'],
  [
    "REVOKE CONNECT,TEMPORARY ON DATABASE main FROM PUBLIC;\nGRANT TEMPORARY ON DATABASE main TO a;",
    'REVOKE CONNECT,TEMPORARY ON DATABASE "new" FROM PUBLIC;\nGRANT TEMPORARY ON DATABASE "new" TO a;',
  ],
  ["SECURITY LABEL FOR x ON DATABASE main IS 'y';", "SECURITY LABEL FOR x ON DATABASE \"new\" IS 'y';"],
  // others' names
  ["ALTER DATABASE main2 SET a TO b;", "ALTER DATABASE main2 SET a TO b;"],
  ['ALTER DATABASE "Main" SET a TO b;', 'ALTER DATABASE "Main" SET a TO b;'],
  ["ALTER DATABASE main$ SET a TO b;", "ALTER DATABASE main$ SET a TO b;"],
  ["ALTER DATABASE mainä SET a TO b;", "ALTER DATABASE mainä SET a TO b;"],
  ["ALTER DATABASE postgres OWNER TO main;", "ALTER DATABASE postgres OWNER TO main;"],
  ["SELECT 'a', MYDATABASE main;", "SELECT 'a', MYDATABASE main;"],
])("%s", (sql, expected) => {
  expect(renameDatabase(sql, "main", "new")).toBe(expected);
});

test.each(['a"b', "DATABASE", "it's", "$&", "ä 日本", "a\nb"])("the names %j, either way", (name) => {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  expect(renameDatabase(`ALTER DATABASE ${quoted} SET a TO 'x';`, name, "new")).toBe("ALTER DATABASE \"new\" SET a TO 'x';");
  expect(renameDatabase("ALTER DATABASE old SET a TO 'x';", "old", name)).toBe(`ALTER DATABASE ${quoted} SET a TO 'x';`);
});
