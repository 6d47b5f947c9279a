import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { open, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Cluster } from "../../src/demo/cluster.ts";
import { findFreePort } from "../../src/demo/port.ts";
import { findRunUser } from "../../src/demo/run-user.ts";
import { until } from "./cli-run.ts";
import { FAST, server } from "./servers.ts";
import { sql } from "./sql.ts";

export interface Standby extends AsyncDisposable {
  url: (database: string) => string;
}

/**
 * A hot standby of a server that was made with `auth: "trust"`. No pg_basebackup is needed: the files are copied while the primary is
 * down for a moment. They lie in the primary's folder, and go with it.
 */
export async function standbyOf(primary: Cluster): Promise<Standby> {
  const folder = join(dirname(primary.dataDir), "standby");
  const user = await findRunUser();
  await primary.stop("fast");
  await promisify(execFile)("cp", ["-a", primary.dataDir, folder]);
  await primary.start();
  await writeFile(join(folder, "standby.signal"), "");
  const { binaries } = server("target");
  const port = await findFreePort();
  const settings = {
    ...FAST,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    port: String(port),
    primary_conninfo: `host=127.0.0.1 port=${primary.port} user=${primary.user} application_name=the_standby`,
  };
  await using log = await open(join(dirname(primary.dataDir), "standby.log"), "a");
  const args = ["-D", folder, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  const child = spawn(join(binaries.binDir, "postgres"), args, {
    env: binaries.env,
    cwd: folder,
    stdio: ["ignore", log.fd, log.fd],
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  const url = (database: string): string => `postgresql://${primary.user}@127.0.0.1:${port}/${database}`;
  const standby: Standby = {
    url,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGQUIT");
      await ended;
    },
  };
  try {
    await until(async () => await sql(url("postgres"), "SELECT pg_is_in_recovery() AS yes").catch(() => undefined), 30_000);
    return standby;
  } catch (error) {
    await standby[Symbol.asyncDispose]();
    throw error;
  }
}
