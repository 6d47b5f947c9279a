import { expect, test } from "vitest";
import { runBetween } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase } from "../support/databases.ts";

// Node warned of "a possible EventTarget memory leak" on standard error from the eleventh connection on.
test("sixteen jobs, and nothing but the report", async () => {
  await using source = await freshDatabase("source", {
    sql: "DO $$BEGIN FOR i IN 1..64 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT g FROM generate_series(1, 500) g', i); END LOOP; END$$",
  });
  await using target = reservedDatabase("target");
  const { code, stderr } = await runBetween(source, target, ["--json", "--jobs", "16"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
