import { readdir } from "node:fs/promises";
import { expect } from "vitest";
import { until } from "../support/cli-run.ts";
import { runCli } from "../support/run-cli.ts";
import { sql } from "../support/sql.ts";
import { attack, type Outcome } from "./attack.ts";
import { CANARY, type Held, heldBy, type Trial } from "./bench.ts";
import { GO_ON } from "./form.ts";

export interface Expected {
  /** Exit codes that are right, or the signal that ended the run. */
  exit: readonly number[] | NodeJS.Signals;
  /** Default: the new one after 0, the old one after anything else; `either` where the run was killed. */
  live?: "old" | "new" | "either";
  /** The staging database may be left, because nobody was there to drop it. Default: only where the run was killed, or kept it (exit 7). */
  mayLeave?: boolean;
  /** What the new database holds; default: what the bench's source does. */
  held?: Held;
  /** Prints nothing as JSON, so that there is no last line to look at. */
  silent?: boolean;
}

/**
 * Whatever was done to a run: (1) what is live is the old database or the whole new one, (2) an error says what, where and what
 * next, (3) going on ends equal to the source, (4) no secret was seen, (5) nothing is left that `pgditto cleanup` does not see.
 * (6) is the limit that every attack has. Says which database is live.
 */
export async function expectPromises(trial: Trial, outcome: Outcome, expected: Expected): Promise<"old" | "new"> {
  const killed = typeof expected.exit === "string";
  const told = `${outcome.stdout.slice(-3000)}\n${outcome.stderr.slice(-3000)}`;
  if (killed) expect(outcome.signal, told).toBe(expected.exit);
  else expect(expected.exit, told).toContain(outcome.code);
  if (!killed && outcome.code !== 0 && expected.silent !== true) expectTold(outcome);
  expectNoSecret(outcome);

  const held = expected.held ?? trial.bench.expected;
  const live = await liveOf(trial, held);
  const right = expected.live ?? (killed ? "either" : outcome.code === 0 ? "new" : "old");
  if (right !== "either") expect(live, told).toBe(right);

  const left = await leftBy(trial, outcome.pid);
  if (!killed && outcome.code !== RESUMABLE && expected.mayLeave !== true) expect(left, told).toEqual([]);
  await expectSeenByCleanup(trial, left);

  if (live === "old") {
    const again = await attack(trial, { args: [...GO_ON, "--json"] });
    expect(again.code, `going on: ${again.stdout.slice(-3000)}\n${again.stderr}`).toBe(0);
    expectNoSecret(again);
    expect(await liveOf(trial, held)).toBe("new");
    expect(await leftBy(trial, again.pid)).toEqual([]);
  } else if (left.length > 0) {
    const tidied = await cleanup(trial, ["--yes"]);
    expect(tidied.code, tidied.stderr).toBe(0);
    expect((await leftBy(trial, outcome.pid)).filter((what) => what.startsWith("database"))).toEqual([]);
  }
  return live;
}

function expectTold({ stdout, code }: Outcome): void {
  const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
  expect(last).toMatchObject({ type: "run:failed", exitCode: code });
  const error = last["error"] as Record<string, unknown>;
  expect(error["message"], stdout).toMatch(/\S/);
  expect(error["hint"], stdout).toMatch(/\S/);
  expect(error["code"], stdout).not.toBe("internal");
  expect(error["code"] === "cancelled" || [error["side"], error["object"]].some((where) => where !== undefined), stdout).toBe(true);
}

function expectNoSecret({ stdout, stderr, seen }: Pick<Outcome, "stdout" | "stderr" | "seen">): void {
  for (const secret of Object.values(CANARY)) {
    const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), secret.replaceAll("'", "''"), "c4nary"];
    for (const [where, text] of Object.entries({ stdout, stderr, seen }))
      for (const form of forms) expect(text.includes(form), `${form} in ${where}`).toBe(false);
  }
}

/** The old database as it was, or the new one as it has to be; anything else fails, with what differs. */
async function liveOf(trial: Trial, held: Held): Promise<"old" | "new"> {
  const live = await heldBy(trial.url);
  const isOld = "mine.precious" in (live.contents["tables"] as object);
  expect(live).toEqual(isOld ? trial.before : held);
  return isOld ? "old" : "new";
}

/** Failed, and `--resume` can go on. */
const RESUMABLE = 7;

const KNOWN = ["postgres", "template0", "template1", "precious", "shop", "busy", "random"];

/** Sessions, locks, slots, prepared transactions, databases and folders; those that are on their way out get some seconds. */
async function leftBy(trial: Trial, pid: number): Promise<string[]> {
  const { bench, name, folder } = trial;
  const look = async (): Promise<string[]> => {
    const found = await Promise.all(
      [bench.source, bench.target].map(async (server) => {
        const rows = await sql(
          server.url("postgres"),
          `SELECT format('session %s in %s: %s', application_name, datname, left(query, 100)) AS what FROM pg_stat_activity
             WHERE application_name ~ '^(pgditto|pg_dump)'
           UNION ALL SELECT 'advisory lock' FROM pg_locks WHERE locktype = 'advisory'
           UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
           UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts
           UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datname <> ALL ($1)`,
          [[...KNOWN, name, `${name}_previous`]],
        );
        return rows.map(({ what }) => String(what));
      }),
    );
    return [...found.flat(), ...(await readdir(folder)).map((entry) => `folder ${entry}`)];
  };
  await until(async () => (await look()).every((what) => /^(?:database|folder)/.test(what)), 20_000).catch(() => undefined);
  const left = await look();
  expect(
    left.filter((what) => !/^(?:database|folder)/.test(what)),
    `left by process ${pid}`,
  ).toEqual([]);
  return left;
}

async function expectSeenByCleanup(trial: Trial, left: readonly string[]): Promise<void> {
  if (left.length === 0) return;
  const { code, stdout } = await cleanup(trial, ["--json"]);
  expect(code).toBe(0);
  const { found } = JSON.parse(stdout) as { found: Array<{ kind: string; object: string; alive: boolean }> };
  const seen = found.map(({ kind, object }) => `${kind} ${kind === "folder" ? object.slice(trial.folder.length + 1) : object}`);
  expect(seen.sort()).toEqual([...left].sort());
  expect(found.filter(({ kind, alive }) => kind === "database" && alive)).toEqual([]);
}

async function cleanup(trial: Trial, args: readonly string[]): ReturnType<typeof runCli> {
  return await runCli(["cleanup", ...args], { env: { ARCHIVE_DB_URL: trial.bench.target.url("postgres"), TMPDIR: trial.folder } });
}
