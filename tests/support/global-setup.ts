import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { type Cluster, startCluster } from "../../src/demo/cluster.ts";
import type { Side } from "../../src/errors.ts";
import { dropTemplates } from "./databases.ts";
import { fastRoot } from "./fast-root.ts";
import { afterAWhile, leaksInFolder, leaksOfProcesses, leaksOnServer } from "./leaks.ts";
import { chooseBinaries, FAST, HOSTILE_FORMATS, type TestServer } from "./servers.ts";

interface Running {
  server: TestServer;
  cluster: Cluster;
}

let running: Running[] = [];
let folder = "";
const outerTmpdir = process.env["TMPDIR"];

/** Two servers for the whole run, and a temporary folder of its own in which they and the tests work. */
export async function setup(project: TestProject): Promise<void> {
  folder = await mkdtemp(join(await fastRoot(), "run-of-pgditto-"));
  // As /tmp: the servers run as another user when we are root. The workers are started later and inherit TMPDIR.
  await chmod(folder, 0o1777);
  process.env["TMPDIR"] = folder;
  const started = await Promise.allSettled([start("source", {}), start("target", HOSTILE_FORMATS)]);
  running = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  for (const result of started) {
    if (result.status === "fulfilled") continue;
    await stop();
    throw result.reason;
  }
  for (const { server } of running) project.provide(server.side, server);
}

/** Stops everything, and fails the run when a test left something behind. */
export async function teardown(): Promise<void> {
  const leaks: string[] = [];
  try {
    const found = running.map(async ({ server }) => {
      await dropTemplates(server);
      return await afterAWhile(() => leaksOnServer(server));
    });
    leaks.push(...(await Promise.all(found)).flat());
  } catch (error) {
    leaks.push(`the servers could not be asked: ${String(error)}`);
  }
  for (const { cluster } of running) await cluster[Symbol.asyncDispose]();
  leaks.push(...(await afterAWhile(() => leaksOfProcesses(folder))), ...(await leaksInFolder(folder)));
  await stop();
  if (leaks.length === 0) return;
  // vitest prints an error of a teardown, but does not fail for it.
  process.exitCode = 1;
  throw new Error(`the tests left behind:\n${leaks.map((leak) => `  - ${leak}`).join("\n")}`);
}

async function stop(): Promise<void> {
  for (const { cluster } of running) await cluster[Symbol.asyncDispose]();
  running = [];
  await rm(folder, { recursive: true, force: true });
  if (outerTmpdir === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = outerTmpdir;
}

async function start(side: Side, settings: Readonly<Record<string, string>>): Promise<Running> {
  const binaries = await chooseBinaries(side);
  const password = `s3cret:of@the/${side}?%#&`;
  const cluster = await startCluster({ binaries, password, settings: { ...FAST, ...settings } });
  const { host, port, user, major, version } = cluster;
  return { cluster, server: { side, host, port, user, password, major, version, binaries } };
}
