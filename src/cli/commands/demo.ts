import { dirname } from "node:path";

import pg from "pg";

import { findServerBinaries } from "../../demo/binaries.ts";
import { type Cluster, startCluster } from "../../demo/cluster.ts";
import { fillShop } from "../../demo/shop.ts";
import { sync } from "../../index.ts";
import { disposables } from "../../util/disposables.ts";
import type { CommandContext } from "../command.ts";
import { chooseReporter } from "../reporter.ts";
import { printOut } from "../terminal.ts";

const SOURCE = "Main_DB";
const TARGET = "Archive_DB";

/** Two servers, sample data and a real sync between them; leaves nothing running unless `--keep` asks for it. */
export async function demoCommand(context: CommandContext): Promise<number> {
  const { signal, json } = context;
  const say = (line: string): void => {
    if (!json) printOut(line);
  };
  const report = chooseReporter(json, context.progress);
  const binaries = await findServerBinaries({ prefer: "embedded", env: process.env });
  say(`Starting two PostgreSQL ${binaries.version} servers (${binaries.kind}) ...`);
  await using started = disposables();
  const main = started.use(await startCluster({ binaries, signal, settings: { wal_level: "logical" } }));
  const archive = started.use(await startCluster({ binaries, signal, settings: { wal_level: "logical" } }));
  say(`Filling ${SOURCE} with a small shop ...`);
  await runOn(main.url("postgres"), `CREATE DATABASE "${SOURCE}"`);
  await onDatabase(main.url(SOURCE), (query) => fillShop(query));
  say("");
  await sync({
    source: main.url(SOURCE),
    target: archive.url(TARGET),
    env: context.options.env,
    watchBuilds: context.options.watchBuilds,
    signal,
    onEvent: (event) => {
      report(event);
      if (event.type === "run:failed") context.toldFailure();
    },
  });
  say("");
  for (const line of await showResult(main, archive)) say(line);
  if (!context.keep) return 0;
  started.release();
  await Promise.all([main.release(), archive.release()]);
  for (const line of howToConnect(main, archive)) say(line);
  return 0;
}

async function showResult(main: Cluster, archive: Cluster): Promise<string[]> {
  const text = `SELECT (SELECT count(*) FROM customers) AS customers, (SELECT count(*) FROM orders) AS orders,
    (SELECT count(*) FROM order_items) AS order_items, (SELECT count(*) FROM transactions) AS transactions, (SELECT count(*) FROM audit_logs) AS audit_logs`;
  const rows = await Promise.all([runOn(main.url(SOURCE), text), runOn(archive.url(TARGET), text)]);
  return [
    "The same query on both servers:",
    ...rows.map((row, i) => `  ${i === 0 ? SOURCE.padEnd(11) : TARGET.padEnd(11)} ${JSON.stringify(row[0])}`),
  ];
}

function howToConnect(main: Cluster, archive: Cluster): string[] {
  return [
    "",
    "Both servers are still running:",
    `  MAIN     psql '${main.url(SOURCE)}'`,
    `  ARCHIVE  psql '${archive.url(TARGET)}'`,
    "Copy again:",
    `  npx pgditto --source '${main.url(SOURCE)}' --target '${archive.url(TARGET)}'`,
    "Stop them and remove their data:",
    // QUIT: not even a client that is still connected delays it
    `  kill -QUIT ${main.pid} ${archive.pid}; sleep 1; rm -rf '${dirname(main.dataDir)}' '${dirname(archive.dataDir)}'`,
  ];
}

async function onDatabase<T>(url: string, work: (query: (sql: string) => Promise<unknown>) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work((sql) => client.query(sql));
  } finally {
    await client.end();
  }
}

async function runOn(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(sql);
    return result.rows;
  } finally {
    await client.end();
  }
}
