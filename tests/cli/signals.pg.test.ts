import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { between, databasesOf, expectNoBackends, jsonLines, runBetween, SLOW, stagingOf, startBetween, until } from "../support/cli-run.ts";
import { freshDatabase, type FreshDatabase, uniqueName } from "../support/databases.ts";
import { contents } from "../support/oracle.ts";
import { type RunningCli, startCli } from "../support/run-cli.ts";
import { server, urlOf } from "../support/servers.ts";
import { openSession, sql } from "../support/sql.ts";

const PRECIOUS = "CREATE TABLE precious AS SELECT n FROM generate_series(1, 7) n";
const admin = urlOf(server("target"), "postgres");

/** How many backends of the run at work match, on the target by default. */
const working = async (cli: RunningCli, query: string, url = admin): Promise<boolean> => {
  const rows = await sql(
    url,
    "SELECT pid FROM pg_stat_activity WHERE application_name ~ $1 AND query ~ $2 AND (state = 'active' OR wait_event_type = 'Client')",
    [`^pgditto .* ${cli.pid}@`, query],
  );
  return rows.length > 0;
};

interface Moment {
  name: string;
  /** The source's contents. */
  sql: string;
  env?: (folder: string) => Promise<Record<string, string>>;
  /** Waits until the run is there; what it gives is disposed of when the run has ended. */
  reach: (cli: RunningCli, databases: { source: FreshDatabase; target: FreshDatabase }) => Promise<AsyncDisposable | void>;
}

/** A pg_dump that tells its version and then does nothing. */
async function lazyPgDump(folder: string): Promise<Record<string, string>> {
  const file = join(folder, "pg_dump");
  const version = `pg_dump (PostgreSQL) ${Math.max(server("source").major, server("target").major)}.99`;
  await writeFile(file, `#!/bin/sh\nif [ "$1" = --version ]; then echo "${version}"; exit; fi\nexec sleep 60\n`);
  await chmod(file, 0o755);
  return { PGDITTO_PG_BIN: folder };
}

const SLOW_ROWS = `${SLOW} CREATE TABLE t (i int CHECK (slow(i, 0.05))); INSERT INTO t SELECT n FROM generate_series(1, 1000) n;`;

const MOMENTS: Moment[] = [
  {
    name: "while it waits for a table that somebody holds",
    sql: "CREATE TABLE t (i int)",
    reach: async (cli, { source }) => {
      await until(() => working(cli, "LOCK TABLE", source.url));
    },
  },
  {
    name: "while pg_dump runs",
    sql: "CREATE TABLE t (i int)",
    env: lazyPgDump,
    reach: async (cli) => {
      await cli.waitFor(/PHASE 1/);
      await until(
        async () =>
          (
            await sql(urlOf(server("source"), "postgres"), "SELECT FROM pg_stat_activity WHERE application_name ~ $1", [
              `pg_dump ${cli.pid}@`,
            ])
          ).length > 0,
      );
    },
  },
  {
    name: "while rows are copied",
    sql: SLOW_ROWS,
    reach: async (cli) => {
      await until(() => working(cli, "COPY .* FROM STDIN"));
    },
  },
  {
    name: "while an index is built",
    sql: `${SLOW} CREATE TABLE t AS SELECT n AS i FROM generate_series(1, 1000) n; CREATE INDEX ON t (slow(i, 0.05));`,
    reach: async (cli) => {
      await until(() => working(cli, "CREATE INDEX"));
    },
  },
  {
    name: "while a materialized view is filled",
    sql: `${SLOW} CREATE MATERIALIZED VIEW v AS SELECT slow(1, 60)`,
    reach: async (cli) => {
      await until(() => working(cli, "REFRESH MATERIALIZED VIEW"));
    },
  },
  {
    name: "during validation",
    sql: `${SLOW} CREATE TABLE t AS SELECT 1 AS i; CREATE INDEX ON t (slow(i, 1.5))`,
    env: async () => ({ PG_JOBS: "1" }),
    // somebody keeps a finished table to himself, so that it cannot be counted
    reach: async (cli, { target }) => {
      await until(() => working(cli, "CREATE INDEX"));
      const session = await openSession(urlOf(server("target"), await stagingOf(target.name)));
      await session.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
      await until(() => working(cli, "count"));
      return session;
    },
  },
  {
    name: "while it waits for the target's name",
    sql: `${SLOW} CREATE MATERIALIZED VIEW v AS SELECT slow(1, 1.5)`,
    // a database with a prepared transaction in it cannot be renamed; it comes after the preflight has looked for some
    reach: async (cli, { target }) => {
      await until(() => working(cli, "REFRESH MATERIALIZED VIEW"));
      const gid = uniqueName();
      await target.sql(`BEGIN; CREATE TABLE pending (); PREPARE TRANSACTION '${gid}'`);
      const rollBack = async (): Promise<void> => void (await target.sql(`ROLLBACK PREPARED '${gid}'`));
      await until(() => working(cli, "RENAME")).catch(async (error: unknown) => {
        await rollBack();
        throw error;
      });
      return { [Symbol.asyncDispose]: rollBack };
    },
  },
];

describe("Ctrl+C and SIGTERM: over within 5 s, nothing left on either server, the target as it was", () => {
  test.each(MOMENTS.map((moment, i) => [moment.name, i % 2 === 0 ? "SIGINT" : "SIGTERM", moment] as const))(
    "%s (%s)",
    async (_, signal, moment) => {
      const folder = await mkdtemp(join(tmpdir(), "test-signals-"));
      try {
        await using source = await freshDatabase("source", { sql: moment.sql });
        await using target = await freshDatabase("target", { sql: PRECIOUS });
        const before = await contents(target.url);
        await using holder = await openSession(source.url);
        if (moment === MOMENTS[0]) await holder.query("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        await using cli = await startBetween(source, target, ["--yes"], { env: (await moment.env?.(folder)) ?? {} });
        const started = await (async () => {
          await using _held = (await moment.reach(cli, { source, target })) ?? { [Symbol.asyncDispose]: async () => {} };
          const now = Date.now();
          cli.kill(signal);
          await cli.result;
          return now;
        })();
        const { code, stderr } = await cli.result;
        expect(Date.now() - started).toBeLessThan(5000);
        const expected = signal === "SIGINT" ? 130 : 143;
        expect(code).toBe(expected);
        expect(stderr).toMatch(new RegExp(`${signal}: stopping cleanly[^]*cancelled by ${signal}[^]*Exit code : ${expected}`));
        await expectNoBackends(cli.pid);
        expect(await databasesOf(target.name)).toEqual([target.name]);
        expect(await contents(target.url)).toEqual(before);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  test("while it connects", async () => {
    const mute = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => void mute.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = mute.address() as { port: number };
      await using cli = await startCli(["--source", `postgresql://127.0.0.1:${port}/x`, "--target", admin]);
      await cli.waitFor(/SYNC CONFIGURATION/);
      await until(() => new Promise<boolean>((resolve) => mute.getConnections((_, n) => resolve(n > 0))));
      const started = Date.now();
      cli.kill("SIGINT");
      expect((await cli.result).code).toBe(130);
      expect(Date.now() - started).toBeLessThan(2000);
    } finally {
      mute.close();
    }
  });

  test("as JSON: the last line says that it was cancelled, with the signal's code", async () => {
    await using source = await freshDatabase("source", { sql: SLOW_ROWS });
    await using target = await freshDatabase("target");
    await using cli = await startBetween(source, target, ["--json"]);
    await until(() => working(cli, "COPY .* FROM STDIN"));
    cli.kill("SIGTERM");
    const { code, stdout } = await cli.result;
    expect(code).toBe(143);
    const lines = jsonLines(stdout);
    expect(lines.at(-1)).toMatchObject({ type: "run:failed", exitCode: 143, error: { code: "cancelled" } });
    expect(lines).toContainEqual(expect.objectContaining({ type: "cleanup", removed: true }));
    await expectNoBackends(cli.pid);
  });

  test("a second signal forces: at once, by the signal itself; the next run removes what was left", async () => {
    await using source = await freshDatabase("source", { sql: SLOW_ROWS });
    await using target = await freshDatabase("target", { sql: PRECIOUS });
    await using cli = await startBetween(source, target, ["--yes"]);
    const staging = await stagingOf(target.name);
    await until(() => working(cli, "COPY .* FROM STDIN"));
    // stopped, so that both signals are there when it goes on
    cli.kill("SIGSTOP");
    cli.kill("SIGINT");
    cli.kill("SIGTERM");
    const started = Date.now();
    cli.kill("SIGCONT");
    expect(await cli.result).toMatchObject({ code: null, signal: expect.stringMatching(/SIGINT|SIGTERM/) });
    expect(Date.now() - started).toBeLessThan(1000);
    expect(await databasesOf(target.name)).toEqual([target.name, staging]);
    expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 7 }]);
    await source.sql("ALTER TABLE t DROP CONSTRAINT t_i_check");
    const next = await runBetween(source, target, ["--yes"]);
    expect(next.code).toBe(0);
    expect(next.stdout).toMatch(new RegExp(`\\[CLEAN \\] \\[DONE +\\] ${staging} +\\| removed: left by run`));
    expect(await databasesOf(target.name)).toEqual([target.name]);
  });

  test("nobody reads the output any more: the run ends, and nothing is left", async () => {
    await using source = await freshDatabase("source", { sql: SLOW_ROWS });
    await using target = await freshDatabase("target", { sql: PRECIOUS });
    for (const args of [[], ["--json"]]) {
      const main = `const { spawn } = require("node:child_process");
        const cli = spawn(process.execPath, [process.argv[1], ...process.argv.slice(2)], { stdio: ["ignore", "pipe", "inherit"] });
        process.stdout.write(cli.pid + "\\n");
        cli.stdout.once("data", () => cli.stdout.destroy());
        cli.on("exit", (code, signal) => process.stdout.write("ended " + code + " " + signal + "\\n"));`;
      const dist = new URL("../../dist/cli/main.js", import.meta.url).pathname;
      await using outer = await startCli([main, dist, "--yes", ...args], { main: "-e", env: between(source, target) });
      const { stdout } = await outer.result;
      expect(stdout).toMatch(/^\d+\nended 1\d* null\n$/);
      await expectNoBackends(Number(stdout.split("\n")[0]));
      expect(await databasesOf(target.name)).toEqual([target.name]);
      expect(await target.sql("SELECT count(*)::int AS n FROM precious")).toEqual([{ n: 7 }]);
    }
  });
});
