import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { places, TEST_MS } from "../faults/form.ts";
import { freshDatabase, type FreshDatabase } from "../support/databases.ts";
import { schemaText } from "../support/fidelity.ts";
import { type CliResult, runCli, startCli } from "../support/run-cli.ts";
import { server } from "../support/servers.ts";
import { openSession } from "../support/sql.ts";

const SQL = `
CREATE TABLE parent (id int PRIMARY KEY, code text CONSTRAINT code_key UNIQUE CHECK (code <> ''), other int NOT NULL);
CREATE TABLE child (id int, parent int CONSTRAINT parent_fk REFERENCES parent, code text CONSTRAINT code_fk REFERENCES parent (code), EXCLUDE USING btree (id WITH =));
INSERT INTO parent VALUES (1, 'a', 1); INSERT INTO child VALUES (1, 1, 'a');`;

const SWITCH = new URL("../faults/kill-at.mjs", import.meta.url).href;

/** `pgditto constraints WORD`, killed at its n-th side effect on the server; without `at` they are only counted. */
async function killed({ url }: FreshDatabase, word: string, at = 0, when = "before"): Promise<CliResult & { effects: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "killed-"));
  try {
    const log = join(folder, "effects");
    const env = {
      NODE_OPTIONS: `--import ${SWITCH}`,
      PGDITTO_FAULT_PORT: String(server("target").port),
      PGDITTO_FAULT_AT: String(at),
      PGDITTO_FAULT_WHEN: when,
      PGDITTO_FAULT_LOG: log,
    };
    const result = await runCli(["constraints", word, "--target", url, "--jobs", "2"], { env });
    return { ...result, effects: (await readFile(log, "utf8")).trimEnd().split("\n") };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The lock of the dead one goes with its connection, which the server notices in a moment. */
async function restored({ url }: FreshDatabase): Promise<CliResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await runCli(["constraints", "restore", "--target", url]);
    if (result.code !== 9 || attempt === 20) return result;
    await sleep(200);
  }
}

test("killed anywhere in drop or in restore: a restore brings back what it was, to the letter", { timeout: TEST_MS }, async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  const before = await schemaText(database.url);
  const counted = { drop: await killed(database, "drop"), restore: await killed(database, "restore") };
  expect(await schemaText(database.url)).toBe(before);
  const untouched: string[] = [];
  for (const word of ["drop", "restore"] as const) {
    const { effects } = counted[word];
    expect(effects.length).toBeGreaterThan(8);
    for (const [i, at] of places(effects.length, 4).entries()) {
      const when = i % 2 === 0 ? "before" : "after";
      if (word === "restore") expect(await runCli(["constraints", "drop", "--target", database.url])).toMatchObject({ code: 0 });
      const { signal } = await killed(database, word, at, when);
      expect(signal, `${word} ${at} ${when}`).toBe("SIGKILL");
      if ((await schemaText(database.url)) === before) untouched.push(`${word} ${at}`);
      const back = await restored(database);
      expect(back, `${word} ${at} ${when}`).toMatchObject({ code: 0, stderr: "" });
      expect(await schemaText(database.url), `${word} ${at} ${when}`).toBe(before);
    }
  }
  // at the very first and the very last place there is nothing to be seen
  expect(untouched.length).toBeLessThan(6);
});

test("Ctrl+C in the middle: what is off is in the ledger, and the message says how it comes back", async () => {
  await using database = await freshDatabase("target", { sql: SQL });
  const before = await schemaText(database.url);
  await using other = await openSession(database.url);
  await other.query("BEGIN; LOCK TABLE parent IN ACCESS SHARE MODE");
  {
    await using cli = await startCli(["constraints", "drop", "--target", database.url, "--kind", "exclusion,unique,check", "-T", "parent"]);
    expect(await cli.result).toMatchObject({ code: 0 });
  }
  {
    // the checks of parent wait for its lock
    await using cli = await startCli(["constraints", "drop", "--target", database.url, "--kind", "check,exclusion"]);
    await waiting(other);
    cli.kill("SIGINT");
    const { code, stderr } = await cli.result;
    expect(code).toBe(130);
    expect(stderr).toContain("Nothing was taken off.");
    expect(stderr).not.toContain("The target is as it was");
  }
  await other.query("COMMIT");
  expect(await runCli(["constraints", "drop", "--target", database.url])).toMatchObject({ code: 0 });
  await other.query("BEGIN; LOCK TABLE parent IN ROW EXCLUSIVE MODE");
  {
    await using cli = await startCli(["constraints", "restore", "--target", database.url, "--jobs", "1"]);
    await waiting(other);
    cli.kill("SIGINT");
    const { code, stderr } = await cli.result;
    expect(code).toBe(130);
    expect(stderr).toContain("`pgditto constraints restore` goes on.");
  }
  await other.query("COMMIT");
  expect(await restored(database)).toMatchObject({ code: 0 });
  expect(await schemaText(database.url)).toBe(before);
});

/** Until somebody waits for a lock on a table of this database. */
async function waiting(session: { query: (text: string) => Promise<{ rows: unknown[] }> }): Promise<void> {
  const sql = "SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
  while ((await session.query(sql)).rows.length === 0) await sleep(50);
}
