import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { findServerBinaries } from "../dist/demo/binaries.js";
import { startCluster } from "../dist/demo/cluster.js";
import { serverCpu } from "./measure/server-cpu.mjs";
import { sql } from "./sql.mjs";

/** As a server of some size is set up; everything else is PostgreSQL's default. */
const SETTINGS = { max_connections: "100", shared_buffers: "1GB", max_wal_size: "4GB", fsync: "on", wal_level: "replica" };

/** Two clusters of our own, and the folder of the client programs that belong to them; undefined where there are none. */
export async function startServers({ sets, settings: given }) {
  const settings = { ...SETTINGS, ...Object.assign({}, ...sets.map((set) => set.settings ?? {})), ...given };
  const binaries = await findServerBinaries({ env: process.env, prefer: "system" });
  const folders = [binaries.binDir, `/usr/lib/postgresql/${binaries.major}/bin`, ...(process.env.PATH ?? "").split(":")];
  const clients = folders.find((folder) => dumps(folder, binaries.major));
  const source = await startCluster({ binaries, settings, auth: "trust" });
  try {
    return serversOf(source, await startCluster({ binaries, settings, auth: "trust" }), { settings, clients, version: binaries.version });
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** An older pg_dump refuses a newer server. */
function dumps(folder, major) {
  const { stdout } = spawnSync(join(folder, "pg_dump"), ["--version"], { encoding: "utf8" });
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? "")?.[1]) >= major;
}

function serversOf(source, target, facts) {
  return {
    ...facts,
    source,
    target,
    cpu: () => ({ source: serverCpu(source.pid), target: serverCpu(target.pid) }),
    /** Nothing of a run, finished or failed, is left to the next one: no session, no database, no dirty page to be written during it. */
    settle: async () => {
      const both = [source, target].map((server) => server.url("postgres"));
      await Promise.all(both.map((url) => sql(url, END_SESSIONS)));
      for (const { name } of await sql(both[1], COPIES)) await sql(both[1], `DROP DATABASE ${name} WITH (FORCE)`);
      await Promise.all(both.map((url) => sql(url, "CHECKPOINT")));
    },
    [Symbol.asyncDispose]: async () => void (await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()])),
  };
}

const COPIES = "SELECT quote_ident(datname) AS name FROM pg_database WHERE datname <> 'postgres' AND NOT datistemplate";

// a client that was ended leaves its server working until it notices
const END_SESSIONS =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
