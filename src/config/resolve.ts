import type { ConnectionConfig } from "../postgres/connection-config.ts";
import { PgdittoError, type Side } from "../errors.ts";
import { type ConstraintKind, parseKinds } from "./constraint-kinds.ts";
import { type ConfigFile, loadConfigFile } from "./config-file.ts";
import { type GivenEndpoint, resolveEndpoint } from "./endpoint.ts";
import { OPTION_KEYS, type OptionKey, OPTIONS, specOf } from "./options.ts";
import { checkOption, parseOption, type ValueOf } from "./option-value.ts";
import { refuse } from "./origin.ts";
import type { CliFlags } from "./pgditto-options.ts";
import { refuseHalfReload } from "./reload.ts";
import { refuseHalfTemplate } from "./strategy.ts";
import { refuseHalfDump } from "./via.ts";
import { absolute, envValue, type Surroundings } from "./surroundings.ts";
import { parseSize } from "./size.ts";
import { type OwnSql, resolveOwnSql } from "./own-sql.ts";
import { collectWarnings, type ConfigWarning } from "./warning.ts";
import { nearest } from "../util/nearest.ts";

export interface ResolveInput extends Surroundings {
  /** What the caller or the command line demands. */
  flags: CliFlags;
  /** The caller's; they replace the config file's. */
  hooks?: unknown;
}

/** Everything decided: no value in here is looked up again. */
export interface ResolvedConfig {
  source: ConnectionConfig;
  target: ConnectionConfig;
  /** Connections at the same time, multiplied by `batchSize`. */
  jobs: number;
  batchSize: number;
  /** Attempts in all, at least 1. */
  retryCount: number;
  /** Seconds. */
  stallTimeout: number;
  via: "stream" | "dump";
  /** Absolute; undefined: the run names one. */
  dumpDir: string | undefined;
  dumpFormat: "directory" | "custom";
  keepDumps: boolean;
  tables: string[];
  excludeTables: string[];
  schemas: string[];
  excludeSchemas: string[];
  /** Undefined: the command's own default. */
  verify: "counts" | "checksum" | undefined;
  resume: boolean;
  keepStaging: boolean;
  mode: "staging" | "recreate" | "truncate";
  atomic: boolean;
  dropIndexes: boolean;
  strategy: "copy" | "template";
  keepPrevious: boolean;
  yes: boolean;
  noOwner: boolean;
  noAcl: boolean;
  noTablespaces: boolean;
  skipExtensions: string[];
  /** Bytes. */
  maxTargetSize: number | undefined;
  /** Bytes a second. */
  rateLimit: number | undefined;
  /** Bytes of WAL. */
  maxReplicationLag: number | undefined;
  maxSourceConnections: number | undefined;
  /** The user's own SQL; the files are not read yet. */
  sql: OwnSql;
  kinds: ConstraintKind[];
  /** Absolute. */
  save: string | undefined;
  dryRun: boolean;
  pgDump: "auto" | "native" | "wasm";
  /** Absolute. */
  pgBin: string | undefined;
  warnings: ConfigWarning[];
}

/**
 * Resolves every option: flag, then environment, then config file, then default.
 * @throws PgdittoError `usage` for flags, options and variables, `config` for what stands in a file; both name the thing and the fix.
 */
export async function resolveConfig(input: ResolveInput): Promise<ResolvedConfig> {
  const { flags, hooks, ...surroundings } = input;
  checkFlags(flags);
  const file = await loadConfigFile(flags.config, surroundings);
  const { warnings, warnOf } = collectWarnings();
  const pick = picker(flags, surroundings, file);

  const endpoint = async (side: Side): Promise<ConnectionConfig> =>
    await resolveEndpoint(
      {
        side,
        ...givenEndpoints(side, flags, surroundings, file),
        connectTimeoutFlag: flags.connectTimeout,
        connectTimeout: pick("connectTimeout") ?? OPTIONS.connectTimeout.default,
      },
      surroundings,
      warnOf(side),
    );
  const folder = (path: string | undefined): string | undefined => (path === undefined ? undefined : absolute(path, surroundings));

  // the cheap checks first: a wrong PG_JOBS should not wait behind certificate files
  const options = {
    jobs: pick("jobs") ?? OPTIONS.jobs.default,
    batchSize: pick("batchSize") ?? OPTIONS.batchSize.default,
    retryCount: pick("retryCount") ?? OPTIONS.retryCount.default,
    stallTimeout: pick("stallTimeout") ?? OPTIONS.stallTimeout.default,
    via: pick("via") ?? OPTIONS.via.default,
    dumpDir: folder(pick("dumpDir")),
    dumpFormat: pick("dumpFormat") ?? OPTIONS.dumpFormat.default,
    keepDumps: pick("keepDumps") ?? false,
    tables: [...(pick("tables") ?? [])],
    excludeTables: [...(pick("excludeTables") ?? [])],
    schemas: [...(pick("schemas") ?? [])],
    excludeSchemas: [...(pick("excludeSchemas") ?? [])],
    verify: pick("verify"),
    resume: pick("resume") ?? false,
    keepStaging: pick("keepStaging") ?? false,
    mode: pick("mode") ?? OPTIONS.mode.default,
    atomic: pick("atomic") ?? false,
    dropIndexes: pick("dropIndexes") ?? false,
    strategy: pick("strategy") ?? OPTIONS.strategy.default,
    keepPrevious: pick("keepPrevious") ?? false,
    yes: pick("yes") ?? false,
    noOwner: pick("noOwner") ?? false,
    noAcl: pick("noAcl") ?? false,
    noTablespaces: pick("noTablespaces") ?? false,
    skipExtensions: [...(pick("skipExtensions") ?? [])],
    maxTargetSize: parseSize(pick("maxTargetSize") ?? ""),
    rateLimit: parseSize(pick("rateLimit") ?? ""),
    maxReplicationLag: parseSize(pick("maxReplicationLag") ?? ""),
    maxSourceConnections: pick("maxSourceConnections"),
    sql: resolveOwnSql({ sql: pick("sql"), set: pick("set"), hooks, file }, surroundings),
    kinds: parseKinds(pick("kinds") ?? []),
    save: folder(pick("save")),
    dryRun: pick("dryRun") ?? false,
    pgDump: pick("pgDump") ?? OPTIONS.pgDump.default,
    pgBin: folder(pick("pgBin")),
  };
  if (options.mode === "recreate" && options.keepPrevious) {
    throw new PgdittoError(
      "usage",
      "--mode recreate and --keep-previous contradict each other: the one drops first what the other keeps.",
      {
        object: "--keep-previous",
        hint: "Leave out one of them.",
      },
    );
  }
  refuseHalfTemplate(options);
  refuseHalfReload(options);
  refuseHalfDump({ ...options, formatGiven: pick("dumpFormat") !== undefined });
  return { source: await endpoint("source"), target: await endpoint("target"), ...options, warnings };
}

type Pick = <K extends OptionKey>(key: K) => ValueOf<K> | undefined;

function picker(flags: CliFlags, { env }: Surroundings, file: ConfigFile | undefined): Pick {
  return (key) => {
    const flag = flags[key];
    if (flag !== undefined) return checkOption(key, flag, { code: "usage", name: key });
    const variable = specOf(key).env;
    const text = variable === undefined ? undefined : envValue(env, variable);
    if (variable !== undefined && text !== undefined) return parseOption(key, text, { code: "usage", name: variable }, "environment");
    const entry = file?.values.get(key);
    return file === undefined || entry === undefined ? undefined : checkOption(key, entry, file.locate([key]));
  };
}

/** The types hold for callers in TypeScript; this holds for the others, and for misspelt names. */
function checkFlags(flags: CliFlags): void {
  for (const [key, value] of Object.entries(flags) as Array<[string, unknown]>) {
    const known = OPTION_KEYS.find((name) => name === key);
    if (known === undefined) {
      const near = nearest(key, OPTION_KEYS, 1)[0];
      throw refuse(
        { code: "usage", name: key },
        "there is no such option.",
        near === undefined ? `The options are ${OPTION_KEYS.join(", ")}.` : `Did you mean ${near}?`,
      );
    }
    if (value !== undefined) checkOption(known, value, { code: "usage", name: key });
  }
}

function givenEndpoints(
  side: Side,
  flags: CliFlags,
  { env }: Surroundings,
  file: ConfigFile | undefined,
): Record<"flag" | "variable" | "file", GivenEndpoint | undefined> {
  const { flag: name, env: variable } = OPTIONS[side];
  const flag = flags[side];
  const text = envValue(env, variable);
  const entry = file?.values.get(side);
  return {
    // an object comes from a caller of the library, a string as a rule from the command line
    flag:
      flag === undefined
        ? undefined
        : { value: flag, key: side, locate: (path) => ({ code: "usage", name: typeof flag === "string" ? `--${name}` : path.join(".") }) },
    variable: text === undefined ? undefined : { value: text, key: side, locate: () => ({ code: "usage", name: variable }) },
    file:
      file === undefined || entry === undefined
        ? undefined
        : { value: checkOption(side, entry, file.locate([side])), key: side, locate: file.locate },
  };
}
