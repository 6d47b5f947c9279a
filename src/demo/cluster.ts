import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerBinaries } from "./binaries.ts";
import { createClusterFolder, initializeData } from "./data-folder.ts";
import { findFreePort } from "./port.ts";
import { findRunUser } from "./run-user.ts";
import { LaunchError, launchServer, type ServerProcess, type StopMode } from "./server-process.ts";
import { startWatchdog } from "./watchdog.ts";

export interface StartClusterOptions {
  binaries: ServerBinaries;
  /** Server settings (`max_connections` …) on top of ours. */
  settings?: Readonly<Record<string, string>> | undefined;
  /** Default `scram-sha-256`: other accounts of the machine can reach the port too. */
  auth?: "trust" | "scram-sha-256" | undefined;
  /** Default: a random one; with `trust`, none. */
  password?: string | undefined;
  /** Default `postgres`. */
  superuser?: string | undefined;
  initdbArgs?: readonly string[] | undefined;
  /** Milliseconds for the server to become ready. Default 60 000. */
  startTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  log?: ((line: string) => void) | undefined;
}

/** A server of our own, in a temporary folder, on 127.0.0.1. Disposing of it stops the server and removes the folder. */
export interface Cluster extends AsyncDisposable {
  readonly host: "127.0.0.1";
  /** Stays the same over `stop()` and `start()`. */
  readonly port: number;
  readonly user: string;
  /** Empty with `trust`. */
  readonly password: string;
  readonly dataDir: string;
  /** What the server wrote to stderr. */
  readonly logFile: string;
  /** Of the postmaster; another one after `start()`. */
  readonly pid: number;
  readonly running: boolean;
  readonly major: number;
  readonly version: string;
  /** `postgresql://…` for a database, every part percent-encoded. Holds the password. */
  url(database: string): string;
  /** Default `fast`. */
  stop(mode?: StopMode): Promise<void>;
  start(): Promise<void>;
  /** For the exit handler of a program that is on its way out; the watchdog removes the folder. */
  killSync(): void;
  /** Leaves the server to the user: neither the watchdog nor disposal touches it any more. */
  release(): Promise<void>;
}

/** Creates and starts a cluster. Throws `server` with the server's log when it does not start. */
export async function startCluster(options: StartClusterOptions): Promise<Cluster> {
  const { binaries, superuser = "postgres", auth = "scram-sha-256", signal } = options;
  const password = options.password ?? (auth === "trust" ? "" : randomBytes(12).toString("hex"));
  const user = await findRunUser();
  const folder = await createClusterFolder(user);
  const watchdog = startWatchdog(folder, user);
  const logFile = join(folder, "server.log");
  let port = 0;
  let released = false;

  const launch = async (dataDir: string, onPort: number): Promise<ServerProcess> =>
    await launchServer({
      binaries,
      user,
      dataDir,
      logFile,
      settings: { ...SETTINGS, ...options.settings, port: String(onPort) },
      timeoutMs: options.startTimeoutMs ?? 60_000,
      signal,
    });
  const removeFolder = async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    await watchdog.standDown();
  };

  try {
    options.log?.(`creating a PostgreSQL ${binaries.version} cluster (${binaries.kind}) in ${folder}`);
    const dataDir = await initializeData({
      binaries,
      user,
      folder,
      superuser,
      password,
      auth,
      initdbArgs: options.initdbArgs ?? [],
      signal,
    });
    let server = await retry(async () => {
      port = await findFreePort();
      return await launch(dataDir, port);
    });
    options.log?.(`PostgreSQL ${binaries.version} listens on 127.0.0.1:${port}`);
    return {
      host: "127.0.0.1",
      port,
      user: superuser,
      password,
      dataDir,
      logFile,
      major: binaries.major,
      version: binaries.version,
      get pid() {
        return server.pid;
      },
      get running() {
        return server.running;
      },
      url: (database) => {
        const credentials = [superuser, ...(password === "" ? [] : [password])].map(encodeURIComponent).join(":");
        return `postgresql://${credentials}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
      },
      stop: (mode = "fast") => server.stop(mode),
      start: async () => {
        if (!server.running) server = await retry(() => launch(dataDir, port));
      },
      killSync: () => server.killSync(),
      release: async () => {
        released = true;
        await watchdog.standDown();
      },
      async [Symbol.asyncDispose]() {
        if (released) return;
        await server.stop("immediate"); // The data go anyway.
        await removeFolder();
      },
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/** On 127.0.0.1 alone, no socket file, everything to stderr and in English. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  log_destination: "stderr",
  logging_collector: "off",
  lc_messages: "C",
};

/** Another process may have been quicker with the port; after a crash the old server's children hold the data for a moment. */
async function retry(launch: () => Promise<ServerProcess>): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch();
    } catch (error) {
      if (!(error instanceof LaunchError) || !error.passing || attempt >= 20) throw error;
      await sleep(250);
    }
  }
}
