import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { sql } from "./sql.ts";

const run = promisify(execFile);

/**
 * The schema as pg_dump writes it, in its order; without what differs by session or version (SET, \restrict, the two
 * "Dumped …" lines). Undefined where no pg_dump is installed that is new enough for the server.
 */
export async function dumpText(url: string, extraArgs: readonly string[] = ["--schema-only"]): Promise<string | undefined> {
  const [row] = await sql(url, "SELECT current_setting('server_version_num')::int / 10000 AS major");
  const program = await newestPgDump();
  if (program === undefined || program.major < Number(row?.["major"])) return undefined;
  const { hostname, port, username, password, pathname } = new URL(url);
  const { stdout } = await run(program.path, [...extraArgs], {
    maxBuffer: 2 ** 29,
    env: {
      PATH: process.env["PATH"],
      // pg_dump leaves the time zone alone, and prints bounds of partitions and defaults in it.
      PGTZ: "UTC",
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: decodeURIComponent(username),
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: decodeURIComponent(pathname.slice(1)),
    },
  });
  return stdout
    .split("\n")
    .filter((line) => !DROPPED.test(line))
    .join("\n");
}

const DROPPED =
  /^(?:SET (?!SESSION AUTHORIZATION)\w+ = |SELECT pg_catalog\.set_config\('search_path'|\\(?:un)?restrict |-- Dumped (?:from|by) )/;

let found: Promise<{ path: string; major: number } | undefined> | undefined;

async function newestPgDump(): Promise<{ path: string; major: number } | undefined> {
  found ??= (async () => {
    const installed = await readdir("/usr/lib/postgresql").catch(() => []);
    const dirs = [
      process.env["PGDITTO_PG_BIN"] ?? "",
      ...(process.env["PATH"] ?? "").split(delimiter),
      ...installed.map((version) => `/usr/lib/postgresql/${version}/bin`),
    ];
    const programs = await Promise.all(
      dirs
        .filter((dir) => dir !== "")
        .map(async (dir) => {
          const path = join(dir, "pg_dump");
          const version = await run(path, ["--version"]).then(
            ({ stdout }) => Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1] ?? 0),
            () => 0,
          );
          return { path, major: version };
        }),
    );
    return programs.filter(({ major }) => major > 0).sort((a, b) => b.major - a.major)[0];
  })();
  return await found;
}
