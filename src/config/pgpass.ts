import { errnoOf, factsOf, type FileFacts, readText } from "./read-file.ts";
import type { Warn } from "./warning.ts";

export interface PasswordKey {
  host: string;
  port: number;
  database: string;
  user: string;
}

// What packagers compile in as libpq's default socket directory. libpq knows its own one; a copy without libpq has to know them all.
const DEFAULT_SOCKET_FOLDERS = ["/tmp", "/var/run/postgresql", "/run/postgresql"];

/** The password of the first line that matches, as libpq reads `.pgpass` (manual 34.16); undefined when none does. */
export function findPassword(text: string, key: PasswordKey): string | undefined {
  // a default socket directory is looked up as localhost; any other one under its own name
  const host = DEFAULT_SOCKET_FOLDERS.includes(key.host.replace(/\/+$/, "")) ? "localhost" : key.host;
  const wanted = [host, String(key.port), key.database, key.user];
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    const at = wanted.reduce<number | undefined>((from, value) => (from === undefined ? undefined : behindField(line, from, value)), 0);
    if (at === undefined) continue;
    // the password ends at a colon too; an empty one is none
    const [password = ""] = /^(?:\\.|[^:])*/su.exec(line.slice(at).replace(/\r+$/, "")) ?? [];
    return password.replace(/\\(.)/gsu, "$1") || undefined;
  }
  return undefined;
}

/**
 * Where the next field begins if this one is `wanted`, or a lone `*`. It walks along the wanted value, as libpq does: so the colons of
 * `::1:5432:...` need no backslash when `::1` is what is looked for.
 */
function behindField(line: string, from: number, wanted: string): number | undefined {
  if (line.startsWith("*:", from)) return from + 2;
  let at = from;
  for (let i = 0; at < line.length; i += 1, at += 1) {
    if (line[at] === ":" && i === wanted.length) return at + 1;
    if (line[at] === "\\") at += 1;
    if (i >= wanted.length || line[at] !== wanted[i]) return undefined;
  }
  return undefined;
}

/** Whether libpq would ignore the file for its permissions. Windows has none of that kind. */
export function passfileObjection(facts: FileFacts, platform: NodeJS.Platform): "not-plain" | "permissions" | undefined {
  if (!facts.plain) return "not-plain";
  if (platform !== "win32" && (facts.mode & 0o077) !== 0) return "permissions";
  return undefined;
}

/** Looks the password up in the file. A file that libpq would ignore is ignored, with a warning; `named` says that somebody asked for this file. */
export async function passwordFromFile(
  path: string,
  named: boolean,
  key: PasswordKey,
  platform: NodeJS.Platform,
  warn: Warn,
): Promise<string | undefined> {
  try {
    const facts = await factsOf(path);
    if (facts === undefined) {
      if (named)
        warn(
          "pgpass-missing",
          `The password file ${path} does not exist.`,
          "Correct PGPASSFILE (or passfile), or unset it to use the default file.",
        );
      return undefined;
    }
    const objection = passfileObjection(facts, platform);
    if (objection === undefined) return findPassword(await readText(path, "password file", "config"), key);
    if (objection === "not-plain")
      warn("pgpass-not-plain", `The password file ${path} is not a plain file and is ignored.`, "Name a plain file.");
    else
      warn("pgpass-permissions", `The password file ${path} is ignored because group or others may read or write it.`, `chmod 600 ${path}`);
  } catch (error) {
    warn(
      "pgpass-unreadable",
      `The password file ${path} cannot be read and is ignored (${errnoOf(error)}).`,
      "Check its owner and permissions.",
    );
  }
  return undefined;
}
