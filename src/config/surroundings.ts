import { join, resolve } from "node:path";

/** What resolving needs to know of the machine. An argument, so that nothing here touches `process`. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here, and here the config file is looked for. */
  cwd: string;
  /** Whether a config file is looked for when none is named. Default true. */
  searchConfig?: boolean | undefined;
  /** The user's home directory, for libpq's files. */
  home: string;
  platform: NodeJS.Platform;
}

/** An empty variable counts as not set, as libpq and the shell's `${NAME:-default}` of the original have it. */
export function envValue(env: Surroundings["env"], name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

/** A path as given, from the folder the user stands in. */
export function absolute(path: string, { cwd }: Surroundings): string {
  return resolve(cwd, path);
}

export interface LibpqFiles {
  passfile: string;
  servicefile: string;
  rootCert: string;
  crl: string;
  cert: string;
  key: string;
}

/** The files that libpq looks for by itself (manual 34.16, 34.17, 34.19); on Windows all of them in `%APPDATA%\postgresql`. */
export function libpqFiles({ env, home, platform }: Surroundings): LibpqFiles {
  const windows = platform === "win32";
  const folder = windows ? join(envValue(env, "APPDATA") ?? join(home, "AppData", "Roaming"), "postgresql") : join(home, ".postgresql");
  return {
    passfile: windows ? join(folder, "pgpass.conf") : join(home, ".pgpass"),
    servicefile: join(windows ? folder : home, ".pg_service.conf"),
    rootCert: join(folder, "root.crt"),
    crl: join(folder, "root.crl"),
    cert: join(folder, "postgresql.crt"),
    key: join(folder, "postgresql.key"),
  };
}
