// npm run bench -- [--set one,many,mixed] [--scale 0.2] [--runs 3]
// Interleaved runs of pgditto and of what people use today, on two clusters of its own; prints medians, spread, ratios, peak memory.
import { parseArgs } from "node:util";
import { existsSync } from "node:fs";
import os from "node:os";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";

import { findServerBinaries } from "../dist/demo/binaries.js";
import { startCluster } from "../dist/demo/cluster.js";
import { DATASETS } from "./datasets.mjs";
import { measure, median } from "./measure.mjs";

const { values } = parseArgs({
  options: {
    set: { type: "string", default: "one,many,mixed" },
    scale: { type: "string", default: "0.2" },
    runs: { type: "string", default: "3" },
  },
});
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scale = Number(values.scale);
const runs = Number(values.runs);
const settings = { max_connections: "100", shared_buffers: "1GB", max_wal_size: "4GB", fsync: "on", wal_level: "replica" };

const binaries = await findServerBinaries({ env: process.env, prefer: "system" });
// the clients that belong to the server, else whatever PATH has
const psql = [binaries.binDir, `/usr/lib/postgresql/${binaries.major}/bin`, ...(process.env.PATH ?? "").split(":")].find((folder) =>
  existsSync(join(folder, "psql")),
);
const source = await startCluster({ binaries, settings, auth: "trust" });
const target = await startCluster({ binaries, settings, auth: "trust" });
console.log(
  `${os.cpus().length} × ${os.cpus()[0]?.model ?? "?"}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Node ${process.version}, PostgreSQL ${binaries.version}, ${new Date().toISOString().slice(0, 10)}`,
);
console.log(
  `settings: ${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ")}; scale ${scale}, ${runs} runs, interleaved`,
);

try {
  for (const set of values.set.split(",")) {
    await sql(source.url("postgres"), `CREATE DATABASE ${set}`);
    await sql(source.url(set), DATASETS[set](scale));
    await sql(source.url(set), "VACUUM ANALYZE");
    await sql(source.url(set), "CHECKPOINT");
    const [{ size }] = await sql(source.url(set), "SELECT pg_size_pretty(pg_database_size(current_database())) AS size");
    const results = new Map();
    for (let run = 0; run < runs; run += 1) {
      for (const [name, contender] of Object.entries(contenders(set))) {
        await sql(target.url("postgres"), "DROP DATABASE IF EXISTS copy WITH (FORCE)");
        if (contender.prepare) await contender.prepare();
        const result = await measure(contender.command, { track: name.startsWith("pgditto") });
        results.set(name, [...(results.get(name) ?? []), result]);
      }
    }
    report(set, size, results);
  }
} finally {
  await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
}

function contenders(set) {
  const from = source.url(set);
  const to = target.url("copy");
  const pgditto = { command: `exec node ${join(root, "dist/cli/main.js")} --source '${from}' --target '${to}' --jobs 2 --yes` };
  if (!psql) return { pgditto };
  const create = async () => void (await sql(target.url("postgres"), "CREATE DATABASE copy TEMPLATE template0"));
  const list = {
    pgditto,
    "pg_dump -Fc | pg_restore": { prepare: create, command: `${psql}/pg_dump -Fc -Z0 -d '${from}' | ${psql}/pg_restore -d '${to}'` },
    "pg_dump -Fd -j2, pg_restore -j2": {
      prepare: create,
      command: `d=$(mktemp -d) && ${psql}/pg_dump -Fd -Z0 -j2 -f $d/x -d '${from}' && ${psql}/pg_restore -j2 -d '${to}' $d/x; s=$?; rm -rf $d; exit $s`,
    },
  };
  if (set !== "one") return list;
  // one large table alone: rows only, in the same format
  const bare = async () => {
    await create();
    await sql(to, "CREATE TABLE big (id bigint, customer uuid, at timestamptz, amount numeric(12,2), note text, data jsonb)");
  };
  const piped = `${psql}/psql -qX '${from}' -c 'COPY big TO STDOUT (FORMAT binary)' | ${psql}/psql -qX '${to}' -c 'COPY big FROM STDIN (FORMAT binary)'`;
  const relay = `node ${join(root, "bench/relay.mjs")} '${from}' '${to}'`;
  return {
    ...list,
    "rows only: psql | psql, binary": { prepare: bare, command: piped },
    "rows only: pgditto's relay, binary": { prepare: bare, command: relay },
  };
}

function report(set, size, results) {
  const base = median((results.get("pgditto") ?? []).map((result) => result.seconds));
  console.log(`\n${set} (${size})`);
  console.log(
    `${"".padEnd(36)}${"median s".padStart(9)}${"min".padStart(8)}${"max".padStart(8)}${"pgditto ÷".padStart(11)}${"peak MiB".padStart(10)}`,
  );
  for (const [name, list] of results) {
    const seconds = list.map((result) => result.seconds);
    const middle = median(seconds);
    const reference = name.startsWith("rows only")
      ? median((results.get("rows only: pgditto's relay, binary") ?? []).map((result) => result.seconds))
      : base;
    const peak = Math.max(...list.map((result) => result.peak));
    console.log(
      name.padEnd(36) +
        middle.toFixed(2).padStart(9) +
        Math.min(...seconds)
          .toFixed(2)
          .padStart(8) +
        Math.max(...seconds)
          .toFixed(2)
          .padStart(8) +
        (reference / middle).toFixed(2).padStart(11) +
        (peak === 0 ? "" : peak.toFixed(0)).padStart(10),
    );
  }
}

async function sql(url, text) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
