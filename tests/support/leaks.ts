import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type TestServer, urlOf } from "./servers.ts";
import { sql } from "./sql.ts";

/** What tests left on a server: databases, sessions of pgditto, prepared transactions, replication slots. */
export async function leaksOnServer(on: TestServer): Promise<string[]> {
  const rows = await sql(
    urlOf(on, "postgres"),
    `SELECT 'database ' || quote_ident(datname) AS leak FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')
     UNION ALL
     SELECT format('session %s of %s in %s: %s, %s', pid, application_name, datname, state, left(query, 200))
       FROM pg_stat_activity WHERE starts_with(application_name, 'pgditto')
     UNION ALL SELECT format('prepared transaction %s in %s', gid, database) FROM pg_prepared_xacts
     UNION ALL SELECT format('replication slot %s in %s', slot_name, database) FROM pg_replication_slots
     ORDER BY 1`,
  );
  return rows.map(({ leak }) => `${on.side}: ${String(leak)}`);
}

/** The temporary folder belongs to this run alone, so that everything of pgditto's in it is ours. */
export async function leaksInFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder);
  return entries
    .filter((entry) => entry.startsWith("pgditto") && !entry.startsWith("pgditto-embedded-"))
    .map((entry) => `temporary folder ${entry}`);
}

/**
 * Processes that name the run's folder in their arguments (servers) or environment (all else that tests start). Other
 * runs on the same machine have other folders. Only Linux shows this; elsewhere nothing is found.
 */
export async function leaksOfProcesses(folder: string): Promise<string[]> {
  const leaks: string[] = [];
  for (const pid of (await readdir("/proc").catch(() => [])).filter((entry) => /^\d+$/.test(entry))) {
    const [command, environment, status] = await Promise.all(
      ["cmdline", "environ", "status"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
    );
    const inArguments = command?.includes(folder) ?? false;
    if (!inArguments && !environment?.includes(folder)) continue;
    // vitest's own workers are children of this process.
    const isOurs = Number(pid) === process.pid || new RegExp(`^PPid:\\s${process.pid}$`, "m").test(status ?? "");
    if (inArguments || !isOurs) leaks.push(`process ${pid}: ${command?.replaceAll("\0", " ").trim() ?? ""}`);
  }
  return leaks;
}

/** What is on its way out gets a moment. */
export async function afterAWhile(find: () => Promise<string[]>, milliseconds = 3_000): Promise<string[]> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const leaks = await find();
    if (leaks.length === 0 || Date.now() > deadline) return leaks;
    await sleep(100);
  }
}
