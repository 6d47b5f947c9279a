import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../src/demo/cluster.ts";
import { fillShop } from "../../src/demo/shop.ts";
import { disposables } from "../../src/util/disposables.ts";
import { uniqueName } from "../support/databases.ts";
import { schemaText } from "../support/fidelity.ts";
import { contents } from "../support/oracle.ts";
import { ownCluster } from "../support/servers.ts";
import { openSession, quoteName, sql } from "../support/sql.ts";

/** What a database holds, by other means than pgditto's: rows, large objects, sequences by SQL, the schema by pg_dump. */
export interface Held {
  contents: Record<string, unknown>;
  schema: string;
}

/** Two servers of one test file, which may be stopped, killed and cleaned up without asking other files. */
export interface Bench extends AsyncDisposable {
  source: Cluster;
  target: Cluster;
  /** The database that is copied, and what it holds. */
  sourceUrl: string;
  expected: Held;
  /** A target of its own, which holds something that must not be lost. */
  trial: () => Promise<Trial>;
}

export interface Trial extends AsyncDisposable {
  bench: Bench;
  /** The target's name, and its URL on the bench's own server, past any proxy. */
  name: string;
  url: string;
  /** What is live before the swap. */
  before: Held;
  /** TMPDIR of the runs. */
  folder: string;
}

/** No part of it may be seen anywhere; every character of it is one that some place has to write in another way. */
export const CANARY = { source: "c4nary's/one%&=:@ß", target: "c4nary\\two#?+ü" } as const;

const PRECIOUS = `CREATE SCHEMA mine; CREATE TABLE mine.precious (id int PRIMARY KEY, word text);
  INSERT INTO mine.precious SELECT n, md5(n::text) FROM generate_series(1, 100) n; CREATE SEQUENCE mine.counter; SELECT setval('mine.counter', 42);`;

export async function heldBy(url: string): Promise<Held> {
  return { contents: await contents(url), schema: await schemaText(url) };
}

/** @param fill What the source holds; default: the shop, which has one of nearly everything. */
export async function openBench(fill?: string): Promise<Bench> {
  await using opened = disposables();
  const [source, target] = await Promise.all([
    ownCluster("source", { password: CANARY.source }),
    ownCluster("target", { password: CANARY.target }),
  ]);
  opened.use(source);
  opened.use(target);
  await sql(source.url("postgres"), "CREATE DATABASE shop TEMPLATE template0");
  {
    await using session = await openSession(source.url("shop"));
    if (fill === undefined) await fillShop((text) => session.query(text), 0.01);
    else await session.query(fill);
  }
  await sql(target.url("postgres"), "CREATE DATABASE precious TEMPLATE template0");
  await sql(target.url("precious"), PRECIOUS);
  const expected = await heldBy(source.url("shop"));
  const before = await heldBy(target.url("precious"));
  const bench: Bench = {
    source,
    target,
    sourceUrl: source.url("shop"),
    expected,
    trial: () => openTrial(bench, before),
    [Symbol.asyncDispose]: opened.release(),
  };
  return bench;
}

async function openTrial(bench: Bench, before: Held): Promise<Trial> {
  const name = uniqueName("live");
  const admin = bench.target.url("postgres");
  await sql(admin, `CREATE DATABASE ${quoteName(name)} TEMPLATE precious`);
  const folder = await mkdtemp(join(tmpdir(), "t-"));
  return {
    bench,
    name,
    url: bench.target.url(name),
    before,
    folder,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
      // a server that the trial has stopped goes with the bench
      if (!bench.target.running) return;
      const made = await sql(admin, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [name]);
      for (const { datname } of made) await sql(admin, `DROP DATABASE IF EXISTS ${quoteName(String(datname))} WITH (FORCE)`);
    },
  };
}
