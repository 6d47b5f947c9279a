import { describe, expect, test } from "vitest";

import { dropOptionAttver } from "./attver.ts";

describe("dropOptionAttver", () => {
  test.each([
    ["alone: the statement goes", "ALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=3);", ""],
    [
      "before another",
      "ALTER TABLE ONLY t ALTER COLUMN a SET (pg_attver=3, n_distinct=5);",
      "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5);",
    ],
    [
      "behind another",
      "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5, pg_attver=3);",
      "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5);",
    ],
    [
      "between two",
      "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5, pg_attver=3, n_distinct_inherited=1);",
      "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5, n_distinct_inherited=1);",
    ],
    ["a foreign table", "ALTER FOREIGN TABLE ONLY t ALTER COLUMN a SET (pg_attver=1);", ""],
    ["a materialized view", 'ALTER MATERIALIZED VIEW "m v" ALTER COLUMN "a b" SET (pg_attver=1);', ""],
    ["without ONLY", "ALTER TABLE t ALTER COLUMN a SET (pg_attver=1);", ""],
  ])("%s", (_what, before, after) => {
    expect(dropOptionAttver(before)).toBe(after);
  });

  test.each([
    "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5);",
    "ALTER TABLE ONLY t ALTER COLUMN a SET (not_pg_attver=5);",
    "ALTER TABLE ONLY t ALTER COLUMN pg_attver SET STATISTICS 5;",
    "ALTER TABLE ONLY t ALTER COLUMN a SET DEFAULT 'pg_attver=1';",
    "CREATE TABLE t (pg_attver integer);",
    "  ALTER TABLE t ALTER COLUMN a SET (pg_attver=1);",
  ])("leaves alone: %s", (sql) => {
    expect(dropOptionAttver(sql)).toBe(sql);
  });

  test("what stands around it stays", () => {
    const sql = "CREATE TABLE t (\n    a integer\n);\nALTER TABLE ONLY t ALTER COLUMN a SET (pg_attver=2);\n\n\nALTER TABLE t OWNER TO me;";
    expect(dropOptionAttver(sql)).toBe("CREATE TABLE t (\n    a integer\n);\n\n\n\nALTER TABLE t OWNER TO me;");
  });
});
