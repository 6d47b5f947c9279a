import type { Cluster } from "../../src/demo/cluster.ts";
import { expect, test } from "vitest";
import { databasesOf, runBetween, SLOW, startBetween, stagingOf, until } from "../support/cli-run.ts";
import { freshDatabase, reservedDatabase, uniqueName } from "../support/databases.ts";
import { expectSame } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { journaled, type Left, resume, settled, SLOW_ONCE } from "../support/resume.ts";
import { ownCluster } from "../support/servers.ts";
import { sql } from "../support/sql.ts";

const TABLES = (slow: string): string => `CREATE TABLE done (id int PRIMARY KEY); INSERT INTO done SELECT generate_series(1, 100);
  CREATE TABLE slow (id int CHECK (${slow}(id, 0.02))); INSERT INTO slow SELECT generate_series(1, 200);`;

/** A database of its own on a server of its own. */
async function databaseOn(cluster: Cluster, text: string): Promise<{ url: string; name: string }> {
  const name = uniqueName();
  await sql(cluster.url("postgres"), `CREATE DATABASE ${name}`);
  await sql(cluster.url(name), text);
  return { url: cluster.url(name), name };
}

/** The staging database of the run that is under way, once so many copies are in. */
async function untilCopied(target: { url: string; name: string }, copies: number): Promise<Left> {
  const name = await stagingOf(target.name);
  const left = { name, url: target.url.replace(/[^/]*$/, name) };
  await until(async () => (await journaled(left, "copies").catch(() => 0)) === copies);
  return left;
}

test("the target's server is lost and does not come back: exit 7, what was done stays, and --resume goes on", async () => {
  await using cluster = await ownCluster("target");
  await using source = await freshDatabase("source", { sql: SLOW_ONCE + TABLES("slow_once") });
  const target = await databaseOn(cluster, "CREATE TABLE precious (i int)");
  await settled(source);
  await using cli = await startBetween(source, target, ["--yes", "--retry-count", "2"]);
  const staging = await until(async () => {
    const rows = await sql(cluster.url("postgres"), "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [
      `${target.name}__pgditto_`,
    ]);
    const [found] = rows.map(({ datname }) => ({ name: String(datname), url: cluster.url(String(datname)) }));
    return found && (await journaled(found, "copies").catch(() => 0)) === 1 && found;
  });
  await cluster.stop("crash");
  const { code, stdout, stderr } = await cli.result;
  expect(code).toBe(7);
  expect(stdout + stderr).toContain(
    `What is done stays in ${staging.name}: \`pgditto sync --resume\` goes on with it, \`pgditto cleanup\` removes it.`,
  );
  await cluster.start();
  expect(await sql(target.url, "SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 0 }]);
  const cleanup = await runBetween(source, target, ["cleanup", "--json"]);
  expect(cleanup.stdout).toContain(staging.name);
  const resumed = await resume(source, target, ["--yes"]);
  expect(resumed.code).toBe(0);
  expect(resumed.told).toMatch(/of the 2 copies of this plan, 1 /);
  expect(await contents(target.url)).toEqual(await contents(source.url));
});

test("the source's snapshot is lost: the run goes on by itself under a new one, with what is proven unchanged", async () => {
  await using cluster = await ownCluster("source");
  await using target = reservedDatabase("target");
  const source = await databaseOn(cluster, `${SLOW} ${TABLES("slow")} CREATE TABLE changed AS TABLE done`);
  await using cli = await startBetween(source, target, ["--json"]);
  await untilCopied(target, 2);
  await sql(source.url, "SET synchronous_commit = on; UPDATE changed SET id = -1 WHERE id = 1");
  await cluster.stop("crash");
  await cluster.start();
  const { code, stdout } = await cli.result;
  expect(code).toBe(0);
  expect(stdout).toContain('"code":"source-lost"');
  expect(stdout).toMatch(/of the 3 copies of this plan, [12] .*Copied again: public\.changed: rows were written since/);
  expect(await contents(target.url)).toEqual(await contents(source.url));
  expect(await databasesOf(target.name)).toEqual([target.name]);
});

test("the source is lost and no attempt is left: exit 7, the process ends, and --resume goes on", async () => {
  await using cluster = await ownCluster("source");
  await using target = reservedDatabase("target");
  const source = await databaseOn(cluster, SLOW_ONCE + TABLES("slow_once"));
  await using cli = await startBetween(source, target, ["--retry-count", "1"]);
  await untilCopied(target, 1);
  await cluster.stop("crash");
  const { code, stderr } = await cli.result;
  expect(code).toBe(7);
  expect(stderr).toMatch(/Side +: source \(MAIN\)[^]*`pgditto sync --resume`/);
  await cluster.start();
  expect((await resume(source, target)).code).toBe(0);
  expect(await contents(target.url)).toEqual(await contents(source.url));
});

test("cancelled with --keep-staging: 130, what was done stays, and --resume goes on", async () => {
  await using source = await freshDatabase("source", { sql: SLOW_ONCE + TABLES("slow_once") });
  await using target = reservedDatabase("target");
  await settled(source);
  await using cli = await startBetween(source, target, ["--keep-staging"]);
  const staging = await untilCopied(target, 1);
  cli.kill("SIGINT");
  const { code, stdout, stderr } = await cli.result;
  expect(code).toBe(130);
  expect(stdout + stderr).toContain(`What is done stays in ${staging.name}`);
  expect(await databasesOf(target.name)).toEqual([staging.name]);
  const resumed = await resume(source, target);
  expect(resumed.code).toBe(0);
  expect(resumed.told).toMatch(/of the 2 copies of this plan, 1 /);
  await expectSame(source, target);
});

test("a failure that would come again keeps nothing, unless --keep-staging says so", async () => {
  await using source = await freshDatabase("source", {
    sql: "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int REFERENCES a); SET session_replication_role = replica; INSERT INTO b VALUES (1)",
  });
  await using target = reservedDatabase("target");
  expect((await runBetween(source, target)).code).toBe(1);
  await settled(source);
  expect(await databasesOf(target.name)).toEqual([]);
  const kept = await runBetween(source, target, ["--keep-staging"]);
  expect(kept.code).toBe(7);
  expect(await databasesOf(target.name)).toHaveLength(1);
  await source.sql("DELETE FROM b");
  const resumed = await resume(source, target);
  expect(resumed.told).toMatch(/of the 2 copies of this plan, 1 .*Copied again: public\.b: rows were deleted since/);
  expect(resumed.code).toBe(0);
  await expectSame(source, target);
});
