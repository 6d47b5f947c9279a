import { readdir } from "node:fs/promises";
import path from "node:path";

/** Where packagers put client programs, the version in between: Debian, Homebrew on both kinds of Mac, and PGDG's RPMs. */
const VERSIONED: ReadonlyArray<{ parent: string; name: RegExp; bin: string }> = [
  { parent: "/usr/lib/postgresql", name: /^\d+$/, bin: "bin" },
  { parent: "/opt/homebrew/opt", name: /^(?:libpq|postgresql@\d+)$/, bin: "bin" },
  { parent: "/usr/local/opt", name: /^(?:libpq|postgresql@\d+)$/, bin: "bin" },
  { parent: "/usr", name: /^pgsql-\d+$/, bin: "bin" },
];

/** Folders in which a pg_dump may lie: those of PATH first, then those where packagers put it. */
export async function candidateFolders(pathEnv: string): Promise<string[]> {
  // A relative entry of PATH means another program in every folder; nobody wants that one.
  const fromPath = pathEnv.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const versioned = await Promise.all(
    VERSIONED.map(async ({ parent, name, bin }) => {
      const entries = await readdir(parent).catch(() => []);
      return entries.filter((entry) => name.test(entry)).map((entry) => path.join(parent, entry, bin));
    }),
  );
  return [...new Set([...fromPath, ...versioned.flat()])];
}
